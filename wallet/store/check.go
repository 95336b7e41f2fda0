package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Report is what a check of a store found.
type Report struct {
	// Path, ID and Version are the store's; Known is the newest version that this pmctl
	// knows.
	Path, ID       string
	Version, Known int

	// CopyReason says why the store's sessions will be retired when it is used next; ""
	// when they will not.
	CopyReason string

	// Unremembered tells of a database of which this machine remembers nothing: whether
	// it was restored from a backup cannot be told.
	Unremembered bool

	// Restored is why the store may lack records, which was not acknowledged; nil when
	// it lacks none.
	Restored *Restored

	// Problems are what is wrong with it; none in a sound store.
	Problems []string

	// Counts are how many rows the tables have.
	Counts map[string]int64
}

// Err is a *DamagedError for a store that is not sound.
func (r *Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return &DamagedError{Path: r.Path, Err: ErrDamaged}
}

// maxProblems bounds what a check tells of one kind.
const maxProblems = 20

const (
	selectUneven = `SELECT s.recipient_rand_hash FROM sessions s
		LEFT JOIN (SELECT recipient_rand_hash, SUM(nonces) AS taken, MAX(first_nonce + nonces - 1) AS last
			FROM reservations GROUP BY recipient_rand_hash) r ON r.recipient_rand_hash = s.recipient_rand_hash
		WHERE COALESCE(r.taken, 0) <> s.used_nonces OR COALESCE(r.last, 0) <> s.used_nonces ORDER BY 1 LIMIT 20`
	selectOrphans = `SELECT DISTINCT recipient_rand_hash FROM reservations
		WHERE recipient_rand_hash NOT IN (SELECT recipient_rand_hash FROM sessions) ORDER BY 1 LIMIT 20`
	selectDays = `SELECT chain_id, sender, day FROM spending_days UNION SELECT chain_id, sender, day FROM spending`
)

// Check looks at all of the store at a location: every page of a file, every session
// against its reservations, every day's sum. It changes nothing, and so neither brings
// the store up to date nor retires anything. It fails with ErrNoStore, with ErrAccess
// where transactions cannot be begun, and as Open does for what is too damaged to be looked
// at.
func Check(ctx context.Context, location string, options ...Option) (*Report, error) {
	report := &Report{Known: schemaVersion, Counts: make(map[string]int64)}
	err := look(ctx, location, options, func(s *Store, tx *db.Tx, version int) error {
		report.Path, report.ID, report.Version, report.Problems = s.Path(), s.id, version, nil
		if err := s.db.KeepsSessions(ctx); err != nil {
			return err
		}
		return s.check(ctx, tx, report)
	})
	if err != nil {
		return nil, err
	}
	return report, nil
}

func (s *Store) check(ctx context.Context, tx *db.Tx, r *Report) (err error) {
	if r.Problems, err = s.db.Problems(tx); err != nil {
		return err
	}
	names, err := s.db.Tables(tx)
	if err != nil {
		return err
	}
	for _, name := range names {
		var count int64
		if err := tx.Row(`SELECT COUNT(*) FROM "` + name + `"`).Scan(&count); err != nil {
			return err
		}
		r.Counts[name] = count
	}
	for _, problem := range []struct{ query, says string }{
		{selectUneven, "session %s does not agree with its reservations"},
		{selectOrphans, "session %s has reservations and is not there"},
	} {
		hashes, err := db.List(tx, db.Text, problem.query)
		if err != nil {
			return err
		}
		for _, hash := range hashes {
			r.Problems = append(r.Problems, fmt.Sprintf(problem.says, hash))
		}
	}
	if r.Version < spendingVersion {
		return nil
	}
	found, err := s.examine(ctx, tx)
	if err != nil {
		return err
	}
	r.Unremembered, r.CopyReason = found.unremembered, found.copyReason()
	if r.Restored, err = restored(tx); err != nil {
		return err
	}
	return checkDays(tx, r)
}

// checkDays looks whether each day's sum is that of its recipients.
func checkDays(tx *db.Tx, r *Report) error {
	type day struct{ chain, sender, date string }
	days, err := db.List(tx, func(rows *sql.Rows) (d day, err error) {
		err = rows.Scan(&d.chain, &d.sender, &d.date)
		return d, err
	}, selectDays)
	if err != nil {
		return err
	}
	for _, d := range days {
		err := sumOfDay(tx, d.chain, d.sender, d.date, new(policy.Spending))
		if errors.Is(err, ErrDamaged) && len(r.Problems) < maxProblems {
			r.Problems = append(r.Problems, fmt.Sprintf("%s on chain %s: %v", d.sender, d.chain, err))
		} else if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
	}
	return nil
}
