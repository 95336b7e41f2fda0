package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// home is where a store lives. A store that finds itself elsewhere is a copy, or is not
// where everybody else looks for it.
type home struct {
	// Machine names the machine, without telling its id, or the server.
	Machine string `json:"machine"`

	// Path is the file's, without symbolic links, or the database's number.
	Path string `json:"path"`

	// File tells the file from a copy of it under the same name, and a server from what
	// it becomes when it is restored or a standby takes its place.
	File string `json:"file"`
}

func homeOf(path string) (home, error) {
	file, err := fileID(path)
	if err != nil {
		return home{}, err
	}
	h := home{File: file}
	if h.Path, err = filepath.EvalSymlinks(path); err != nil {
		return home{}, err
	}
	if id := machineID(); id != "" {
		mac := hmac.New(sha256.New, []byte(id))
		mac.Write([]byte("pmctl store"))
		h.Machine = hex.EncodeToString(mac.Sum(nil)[:16])
	}
	return h, nil
}

// Retirement is what a store did that is not where, or not what, it was.
type Retirement struct {
	// Reason says what was found.
	Reason string

	// Sessions is how many sessions were retired.
	Sessions int64
}

// Retirement returns what was done when the store was opened, and nil when it was
// found as it was left. It is reported to one of those who open the store.
func (s *Store) Retirement() *Retirement { return s.retirement }

// settle finds out whether the store is where and what it was. If not, nobody knows
// which nonces of its sessions are taken, or what was spent today: it retires all
// sessions, counts the day's budget as spent, and takes a new id.
func (s *Store) settle(ctx context.Context) error {
	var reason string
	known := false
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		known, reason, err = s.strange(ctx, tx)
		return err
	})
	if err != nil || known && reason == "" {
		return err
	}
	var generation int64
	var done *Retirement
	err = s.tx(ctx, true, func(tx *sql.Tx) (err error) {
		generation, done = 0, nil
		// Another process may have done it meanwhile.
		if known, reason, err = s.strange(ctx, tx); err != nil || known && reason == "" {
			if err == nil {
				s.id, err = meta(ctx, tx, metaID)
			}
			return err
		}
		if reason != "" {
			if done, err = s.retire(ctx, tx, reason); err != nil {
				return err
			}
		}
		generation, err = s.moveIn(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	s.retirement = done
	if generation > 0 {
		return s.mark.restart(generation)
	}
	return nil
}

// strange tells why the store is not where or what it was, "" when it is; known tells
// whether it has a home at all.
func (s *Store) strange(ctx context.Context, tx *sql.Tx) (known bool, reason string, err error) {
	at, err := s.backend.home(ctx, tx)
	if err != nil {
		return false, "", err
	}
	var seen sighting
	marked := s.mark == nil // a database needs none
	if s.mark != nil {
		if seen, marked, err = s.mark.read(); err != nil {
			return false, "", err
		}
	}
	text, err := meta(ctx, tx, metaHome)
	if errors.Is(err, errNoMeta) {
		if marked && seen.generation > 0 {
			reason = "the store that was here before is gone"
		}
		return false, reason, nil
	}
	if err != nil {
		return false, "", err
	}
	var was home
	if err := json.Unmarshal([]byte(text), &was); err != nil {
		return false, "", fmt.Errorf("%w: %s: %w", ErrDamaged, metaHome, err)
	}
	var generation int64
	if s.mark != nil {
		if generation, err = generationOf(ctx, tx); err != nil {
			return false, "", err
		}
	}
	switch {
	case was.Machine != at.Machine:
		reason = "it was on another machine before"
	case was.Path != at.Path:
		reason = "it was at " + was.Path + " before"
	case was.File != at.File:
		reason = s.backend.replaced()
	case !marked:
		reason = s.mark.path + ", which goes with it, is gone"
	case generation < seen.generation:
		reason = "an older copy was put in its place"
	case seen.copied:
		reason = s.mark.path + ", which goes with it, was put back or changed"
	}
	return true, reason, nil
}

// retire ends all that a copy of the store may have gone on with.
func (s *Store) retire(ctx context.Context, tx *sql.Tx, reason string) (*Retirement, error) {
	now := time.Now()
	result, err := tx.ExecContext(ctx, retireSessions, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	sessions, err := result.RowsAffected()
	if err != nil {
		return nil, err
	}
	id := newID()
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{deleteAllParams, nil},
		{updateMeta, []any{id, metaID}},
		{upsertMeta, []any{metaSpent, startOfDay(now).Format(time.DateOnly) + " the store was found moved, copied or put back that day"}},
	} {
		if _, err := tx.ExecContext(ctx, statement.sql, statement.args...); err != nil {
			return nil, err
		}
	}
	s.id = id
	return &Retirement{Reason: reason, Sessions: sessions}, nil
}

// moveIn writes down where the store lives. The generation exceeds that of every copy.
func (s *Store) moveIn(ctx context.Context, tx *sql.Tx) (generation int64, err error) {
	at, err := s.backend.home(ctx, tx)
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(at)
	if err == nil {
		_, err = tx.ExecContext(ctx, upsertMeta, metaHome, string(text))
	}
	if err != nil || s.mark == nil {
		return 0, err
	}
	// A crash before the end must find a mark, and one that asks for nothing.
	if err := s.mark.create(); err != nil {
		return 0, err
	}
	seen, _, err := s.mark.read()
	if err != nil {
		return 0, err
	}
	if generation, err = generationOf(ctx, tx); err != nil && !errors.Is(err, errNoMeta) {
		return 0, err
	}
	generation = max(generation, seen.generation) + 1
	_, err = tx.ExecContext(ctx, upsertMeta, metaGeneration, fmt.Sprint(generation))
	return generation, err
}

// advance counts a change to the store, and refuses to make it when the file was put
// back to an older state under our hands.
func (s *Store) advance(ctx context.Context, tx *sql.Tx) (generation int64, err error) {
	if s.mark == nil {
		return 0, nil
	}
	seen, marked, err := s.mark.peek()
	if err != nil {
		return 0, err
	}
	if generation, err = generationOf(ctx, tx); err != nil {
		return 0, err
	}
	if marked && generation < seen {
		return 0, fmt.Errorf("%w: it was put back to an older state while it was in use", ErrDamaged)
	}
	generation++
	_, err = tx.ExecContext(ctx, updateMeta, fmt.Sprint(generation), metaGeneration)
	return generation, err
}

func generationOf(ctx context.Context, tx *sql.Tx) (generation int64, err error) {
	text, err := meta(ctx, tx, metaGeneration)
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(text, "%d", &generation); err != nil || generation < 1 {
		return 0, fmt.Errorf("%w: generation %.20q", ErrDamaged, text)
	}
	return generation, nil
}
