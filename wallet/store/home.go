package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	countFormer  = `SELECT COUNT(*) FROM former_ids WHERE store_id = $1`
	upsertWriter = `INSERT INTO writers (writer, generation) VALUES ($1, $2)
		ON CONFLICT (writer) DO UPDATE SET generation = excluded.generation`
	selectWriter = `SELECT generation FROM writers WHERE writer = $1`
)

// home is the place that a store is used at. A store found at another place is a copy, or was
// moved away from where other processes look for it.
type home struct {
	db.Place
	// Mark identifies the mark beside a file; "" if it is not known.
	Mark string `json:"mark,omitempty"`
}

// moved says why a store that was at home was is not at h, nil if it is.
func (h home) moved(was home, isFile bool) *Cause {
	other := func(a, b string) bool { return a != b && a != "" && b != "" }
	if was.untold() {
		was.Machine, was.File = h.Machine, h.File
	}
	switch {
	case was.Machine != h.Machine:
		return &Cause{Code: CauseMachine}
	case was.Path != h.Path:
		return &Cause{CausePath, was.Path}
	case was.File != h.File && isFile:
		return &Cause{Code: CauseFile}
	case was.File != h.File:
		return &Cause{Code: CauseServer}
	case other(was.Tables, h.Tables):
		return &Cause{Code: CauseTables}
	case other(was.Mark, h.Mark):
		return &Cause{Code: CauseMark}
	}
	return nil
}

// untold is the home that an earlier version has recorded on Windows, where it told neither machines
// nor files apart.
func (h home) untold() bool { return h.Machine == "" && h.File == "" }

// condition is the state that a store was found in.
type condition struct {
	markState

	// cause is why the store counts as moved, copied or restored; nil if it does not.
	cause *Cause

	// unsettled is a store that has not recorded its home yet, or only parts of it.
	unsettled bool

	// unremembered is a database that was in use before, and that this machine has no record of.
	unremembered bool

	// seen is the newest state that was remembered.
	seen markState

	// at is the store's place, movedTo the one that it was migrated to, and awaits the one whose
	// records are being moved here.
	at              home
	movedTo, awaits string
}

// settled reports whether the store is at its home, unchanged, and has recorded that.
func (c condition) settled() bool { return c.cause == nil && !c.unsettled }

// copyReason says why the next use of the store will retire its sessions; "" if it will not.
func (c condition) copyReason() string {
	if c.cause == nil {
		return ""
	}
	return c.cause.String()
}

func (s *Store) examine(ctx context.Context, tx *db.Tx) (found condition, err error) {
	facts := make(map[string]string)
	if found.at, err = s.home(tx, readMeta(facts)); err != nil {
		return found, err
	}
	found.id, found.movedTo, found.awaits = facts[metaID], facts[metaMoved], facts[metaAwaits]
	if text, ok := facts[metaGeneration]; ok {
		if found.generation, found.writer, err = parseGeneration(text); err != nil {
			return found, err
		}
	}
	seen, remembered, err := s.mark.recall()
	if err != nil {
		return found, err
	}
	found.seen = seen
	version, err := schemaOf(s.db, facts[metaVersion])
	if err != nil {
		return found, err
	}
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
	isFile := s.db.IsFile()
	found.unsettled = found.generation == 0 || was.untold() && !found.at.untold() || was.Mark == "" && found.at.Mark != "" || was.Tables == "" && found.at.Tables != ""
	found.unremembered = !isFile && !remembered
	found.cause = found.at.moved(was, isFile)
	switch {
	case found.cause != nil:
	case isFile && !remembered:
		found.cause = &Cause{Code: CauseNoMark}
	case seen.broken:
		found.cause = &Cause{Code: CauseMark}
	case remembered && version < writersVersion && seen.id != "":
		found.cause = &Cause{Code: CauseOlder} // a newer state was seen
	case remembered:
		found.cause, err = s.compare(ctx, tx, &found, seen)
	}
	return found, err
}

// home returns where the store is, and runs statements on the way.
func (s *Store) home(tx *db.Tx, with ...db.Statement) (at home, err error) {
	if at.Place, err = s.db.Place(tx, with...); err == nil && s.db.IsFile() {
		at.Mark, err = s.mark.identity()
	}
	return at, err
}

// compare checks the store against the newest state that is remembered.
func (s *Store) compare(ctx context.Context, tx *db.Tx, found *condition, seen markState) (*Cause, error) {
	if seen.id != "" && seen.id != found.id {
		var former int
		if err := tx.Row(countFormer, seen.id).Scan(&former); err != nil || former > 0 {
			return nil, err // it was retired since, with everything that is remembered
		}
		return &Cause{Code: CauseOther}, nil
	}
	if found.generation < seen.generation {
		return &Cause{Code: CauseOlder}, nil
	}
	if seen.writer != "" && seen.writer != found.writer {
		var last int64
		if _, err := tx.Row(selectWriter, seen.writer).Find(&last); err != nil {
			return nil, err
		}
		if last < seen.generation {
			return &Cause{Code: CauseFork}, nil
		}
	}
	found.fileState = seen.fileState
	for range flushedTries {
		at, logged, known := s.db.Written()
		least := seen.flushed
		if !logged {
			least = found.generation // the log is in the file completely
		}
		if !known || seen.isAt(at) && seen.flushed >= least { // it is as it was when it was read last
			return nil, nil
		}
		if file, known := s.unlogged(ctx); !known || file.flushed >= least {
			found.fileState = seen.fileState.with(file)
			return nil, nil
		}
		// Another process may be writing the mark now.
		<-time.After(flushedPause)
	}
	// Once its log is copied into the file, the older copy and the store look alike. A mark
	// that is ahead of the file keeps the difference.
	seen.generation = max(found.generation, seen.generation) + 1
	return &Cause{Code: CauseOlder}, s.mark.keep(seen)
}

const (
	flushedTries = 3
	flushedPause = 2 * time.Millisecond
)

// writeHome records where the store is used. The new generation exceeds that of every
// remembered copy.
func (s *Store) writeHome(tx *db.Tx, found condition) (now markState, err error) {
	now = found.markState
	now.generation = max(now.generation, found.seen.generation) + 1
	now.writer, now.fileState = s.writer, fileState{}
	if s.db.IsFile() {
		// A crash before the commit must leave a mark, and one that demands nothing of the store.
		if err := s.mark.create(markState{id: now.id, generation: 1, writer: now.writer}); err != nil {
			return now, err
		}
		if found.at.Mark, err = s.mark.identity(); err != nil {
			return now, err
		}
	}
	text, err := json.Marshal(found.at)
	if err != nil {
		return now, err
	}
	tx.Later(db.Do(upsertMeta, metaHome, string(text)))
	writeGeneration(tx, found.markState, now)
	return now, nil
}

// nextGeneration counts a change to the store.
func (s *Store) nextGeneration(tx *db.Tx, found condition) markState {
	now := found.markState
	now.generation++
	now.writer = s.writer
	writeGeneration(tx, found.markState, now)
	return now
}

// writeGeneration records the generation, and which one of another process preceded it. An
// older copy that others have used since lacks that record, however many changes it has had.
func writeGeneration(tx *db.Tx, before, now markState) {
	if before.writer != "" && before.writer != now.writer {
		tx.Later(db.Do(upsertWriter, before.writer, before.generation))
	}
	tx.Later(db.Do(upsertMeta, metaGeneration, fmt.Sprintf("%d %s", now.generation, now.writer)))
}

// parseGeneration reads what writeGeneration writes. Versions before 9 wrote no writer.
func parseGeneration(text string) (generation int64, writer string, err error) {
	number, writer, _ := strings.Cut(text, " ")
	if generation, err = strconv.ParseInt(number, 10, 64); err != nil || generation < 1 {
		return 0, "", fmt.Errorf("%w: generation %.20q", ErrDamaged, text)
	}
	return generation, writer, nil
}
