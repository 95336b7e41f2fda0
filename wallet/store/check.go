package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Report is what a check of a store found.
type Report struct {
	// Path, ID and Version are the store's. Known is the newest version that this pmctl reads.
	Path    string `json:"path"`
	ID      string `json:"store_id"`
	Version int    `json:"schema_version"`
	Known   int    `json:"known_version"`

	// Sound reports that there are no Problems.
	Sound bool `json:"sound"`

	// CopyReason says why the next use of the store will retire its sessions; "" if it will not.
	CopyReason string `json:"moved,omitempty"`

	// MigratedTo is where the store was migrated to and is used now; "" if it was not.
	MigratedTo string `json:"migrated_to,omitempty"`

	// Unremembered is a database that this machine has no record of, so that pmctl cannot tell
	// whether it was restored from a backup.
	Unremembered bool `json:"unremembered,omitempty"`

	// Restored says why the store may lack records, nil if it lacks none or that was acknowledged;
	// Unacknowledged says it in words.
	Restored       *Restored `json:"-"`
	Unacknowledged string    `json:"unacknowledged,omitempty"`

	// Counts has the number of rows of each table.
	Counts map[string]int64 `json:"rows"`

	// Problems are what is damaged, for people; none in a sound store.
	Problems []string `json:"problems,omitempty"`
}

// Err returns a *DamagedError if the check found problems.
func (r *Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return checked(&DamagedError{Path: r.Path, Err: ErrDamaged})
}

// checked is the error of a check, which need not be run again.
func checked(err error) error {
	if damaged, ok := errors.AsType[*DamagedError](err); ok {
		return hint.With(err, "%s", damaged.Remedy())
	}
	return err
}

// maxProblems limits the problems reported of one kind.
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

// Check reads the whole store at a location: every page of a file, every session against its
// reservations, every day's sum. It changes nothing: an older store is not upgraded, and no
// session is retired. It fails with ErrNoStore, with ErrAccess if it cannot begin a
// transaction, and as Open does for a store too damaged to read.
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
		return nil, checked(err)
	}
	report.Sound = len(report.Problems) == 0
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
		{selectOrphans, "session %s has reservations and no row of its own"},
	} {
		hashes, err := db.List(tx, db.One[string], problem.query)
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
	r.Unremembered, r.CopyReason, r.MigratedTo = found.unremembered, found.copyReason(), found.movedTo
	if r.Restored, err = restored(tx); err != nil {
		return err
	}
	if r.Restored != nil {
		r.Unacknowledged = r.Restored.Cause.String()
	}
	if err := checkDays(tx, r); err != nil || r.Version < signerVersion {
		return err
	}
	return checkSigner(tx, r)
}

// checkDays compares each day's sum with those of its recipients.
func checkDays(tx *db.Tx, r *Report) error {
	type day struct{ chain, sender, date string }
	days, err := db.List(tx, db.Fields(func(d *day) []any { return []any{&d.chain, &d.sender, &d.date} }), selectDays)
	if err != nil {
		return err
	}
	for _, d := range days {
		err := tx.Together(readSums(d.chain, d.sender, d.date, new(policy.Spending))...)
		if errors.Is(err, ErrDamaged) && len(r.Problems) < maxProblems {
			r.Problems = append(r.Problems, fmt.Sprintf("%s on chain %s: %v", d.sender, d.chain, err))
		} else if err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
	}
	return nil
}
