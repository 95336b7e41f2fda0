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
	"strconv"
	"strings"
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

	// Mark tells the mark beside a file from one that was put in its place, and Tables
	// a database's tables from those of a restored dump. "" is not known.
	Mark   string `json:"mark,omitempty"`
	Tables string `json:"tables,omitempty"`
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

// moved is why a store that was at a home is not at h, nil when it is.
func (h home) moved(was home, replaced CauseCode) *Cause {
	other := func(a, b string) bool { return a != b && a != "" && b != "" }
	switch {
	case was.Machine != h.Machine:
		return &Cause{Code: CauseMachine}
	case was.Path != h.Path:
		return &Cause{CausePath, was.Path}
	case was.File != h.File:
		return &Cause{Code: replaced}
	case other(was.Tables, h.Tables):
		return &Cause{Code: CauseTables}
	case other(was.Mark, h.Mark):
		return &Cause{Code: CauseMark}
	}
	return nil
}

// condition is what a store is found to be.
type condition struct {
	sighting

	// cause is why the store is not where or what it was; nil when it is.
	cause *Cause

	// unsettled is a store that does not say yet where it lives, or not all of it.
	unsettled bool

	// unremembered is a database that was in use before, of which this machine
	// remembers nothing.
	unremembered bool

	// seen is what is remembered of it.
	seen sighting

	// at is where it lives now, movedTo where it was migrated to.
	at      home
	movedTo string
}

// settle finds out whether the store is where and what it was. If not, it is retired.
func (s *Store) settle(ctx context.Context) error {
	var found condition
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = s.examine(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	s.unremembered = found.unremembered
	if found.cause == nil && !found.unsettled {
		s.saw(found.sighting)
		return nil
	}
	var now sighting
	var done *Retirement
	err = s.tx(ctx, true, func(tx *sql.Tx) (err error) {
		done = nil
		// Another process may have done it meanwhile.
		if found, err = s.examine(ctx, tx); err != nil {
			return err
		}
		now = found.sighting
		if found.cause == nil && !found.unsettled {
			return nil
		}
		if found.cause != nil {
			if done, err = s.retire(ctx, tx, &found); err != nil {
				return err
			}
		}
		now, err = s.moveIn(ctx, tx, found)
		return err
	})
	if err != nil {
		return err
	}
	s.retirement = done
	s.saw(now)
	if s.mark != nil {
		s.mark.tidy()
	}
	return nil
}

// examine finds out in which condition the store is.
func (s *Store) examine(ctx context.Context, tx *sql.Tx) (found condition, err error) {
	facts, err := allMeta(ctx, tx)
	if err != nil {
		return found, err
	}
	found.id, found.movedTo = facts[metaID], facts[metaMoved]
	if text, ok := facts[metaGeneration]; ok {
		if found.generation, found.writer, err = parseGeneration(text); err != nil {
			return found, err
		}
	}
	if found.at, err = s.backend.home(ctx, tx); err != nil {
		return found, err
	}
	var seen sighting
	remembered := false
	if s.mark != nil {
		if seen, remembered, err = s.mark.recall(); err != nil {
			return found, err
		}
	}
	found.seen = seen
	text, settled := facts[metaHome]
	if !settled {
		found.unsettled = true
		if remembered && (seen.generation > 0 || seen.broken) {
			found.cause = &Cause{Code: CauseGone}
		}
		return found, nil
	}
	var was home
	if err := json.Unmarshal([]byte(text), &was); err != nil {
		return found, fmt.Errorf("%w: %s: %w", ErrDamaged, metaHome, err)
	}
	version, err := strconv.Atoi(facts[metaVersion])
	if err != nil {
		return found, fmt.Errorf("%w: it has schema version %.20q", ErrDamaged, facts[metaVersion])
	}
	beside := s.mark != nil && s.mark.earlier != ""
	found.unsettled = found.generation == 0 || was.Mark == "" && found.at.Mark != "" || was.Tables == "" && found.at.Tables != ""
	found.unremembered = !beside && !remembered
	found.cause = found.at.moved(was, s.backend.replaced())
	switch {
	case found.cause != nil:
	case beside && !remembered:
		found.cause = &Cause{Code: CauseNoMark}
	case seen.broken:
		found.cause = &Cause{Code: CauseMark}
	case remembered && version < writersVersion && seen.id != "":
		found.cause = &Cause{Code: CauseOlder} // it was newer when it was seen
	case remembered:
		found.cause, err = s.compare(ctx, tx, &found, seen)
	}
	return found, err
}

// compare holds a store against the newest state of it that is remembered.
func (s *Store) compare(ctx context.Context, tx *sql.Tx, found *condition, seen sighting) (*Cause, error) {
	if seen.id != "" && seen.id != found.id {
		var former int
		if err := tx.QueryRowContext(ctx, countFormer, seen.id).Scan(&former); err != nil || former > 0 {
			return nil, err // it was retired since, with all that is remembered
		}
		return &Cause{Code: CauseOther}, nil
	}
	if found.generation < seen.generation {
		return &Cause{Code: CauseOlder}, nil
	}
	if seen.writer != "" && seen.writer != found.writer {
		var last int64
		err := tx.QueryRowContext(ctx, selectWriter, seen.writer).Scan(&last)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if last < seen.generation {
			return &Cause{Code: CauseFork}, nil
		}
	}
	found.flushed = seen.flushed
	for range flushedTries {
		flushed, logged, known := s.backend.flushed(ctx)
		least := seen.flushed
		if !logged {
			least = found.generation // the file has all
		}
		if !known || flushed >= least {
			found.flushed = max(flushed, seen.flushed)
			return nil, nil
		}
		// It may be written at this moment.
		<-time.After(flushedPause)
	}
	// When the log is copied into the file the two look like one store. A mark that is
	// ahead of it keeps in mind that they are not.
	seen.generation = max(found.generation, seen.generation) + 1
	return &Cause{Code: CauseOlder}, s.mark.keep(seen)
}

const (
	flushedTries = 3
	flushedPause = 2 * time.Millisecond
)

// moveIn writes down where the store lives. The generation exceeds that of every copy
// that is remembered.
func (s *Store) moveIn(ctx context.Context, tx *sql.Tx, found condition) (now sighting, err error) {
	now = found.sighting
	now.generation = max(now.generation, found.seen.generation) + 1
	now.writer, now.flushed = s.writer, 0
	if s.mark != nil && s.mark.earlier != "" {
		// A crash before the end must find a mark, and one that asks for nothing.
		if err := s.mark.create(sighting{id: now.id, generation: 1, writer: now.writer}); err != nil {
			return now, err
		}
		if found.at.Mark, err = s.mark.identity(); err != nil {
			return now, err
		}
	}
	text, err := json.Marshal(found.at)
	if err == nil {
		_, err = tx.ExecContext(ctx, upsertMeta, metaHome, string(text))
	}
	if err == nil {
		err = handOver(ctx, tx, found.sighting, now.writer)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, upsertMeta, metaGeneration, generationText(now))
	}
	return now, err
}

// count counts a change to the store.
func (s *Store) count(ctx context.Context, tx *sql.Tx, found condition) (now sighting, err error) {
	now = found.sighting
	now.generation++
	now.writer = s.writer
	if err := handOver(ctx, tx, found.sighting, now.writer); err != nil {
		return now, err
	}
	_, err = tx.ExecContext(ctx, updateMeta, generationText(now), metaGeneration)
	return now, err
}

// handOver notes how far another process had come before this one changes the store. An
// older copy that was used by others since lacks that, however far they have come.
func handOver(ctx context.Context, tx *sql.Tx, before sighting, writer string) error {
	if before.writer == "" || before.writer == writer {
		return nil
	}
	_, err := tx.ExecContext(ctx, upsertWriter, before.writer, before.generation)
	return err
}

func generationText(s sighting) string { return fmt.Sprintf("%d %s", s.generation, s.writer) }

// parseGeneration reads what generationText writes. Versions before this one wrote no writer.
func parseGeneration(text string) (generation int64, writer string, err error) {
	number, writer, _ := strings.Cut(text, " ")
	if generation, err = strconv.ParseInt(number, 10, 64); err != nil || generation < 1 {
		return 0, "", fmt.Errorf("%w: generation %.20q", ErrDamaged, text)
	}
	return generation, writer, nil
}
