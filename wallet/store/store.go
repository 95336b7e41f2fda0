package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Store is an open store. Its methods may be called from any goroutine.
type Store struct {
	db *db.DB

	// mark remembers how far the store had come, and writer names this Store among those
	// who change it.
	mark   *mark
	writer string

	// retirement is what was done when the store was found restored; nil mostly.
	retirement *Retirement

	unremembered bool

	mu sync.Mutex
	id string
}

// Option sets how a store is opened.
type Option func(*settings)

type settings struct{ memory string }

// RememberIn names the folder in which this machine remembers how far each database had
// come, so that one that was restored is noticed. Without it that lasts as long as the
// Store. A store in a file is remembered beside the file.
func RememberIn(folder string) Option { return func(s *settings) { s.memory = folder } }

// connect prepares to use the store at a location, without looking what is there. Where a
// file is missing it makes an empty one.
func connect(location string, options []Option) (*Store, error) {
	var set settings
	for _, option := range options {
		option(&set)
	}
	at, err := db.Locate(location)
	if err != nil {
		return nil, err
	}
	s := &Store{mark: markOfDatabase(set.memory, at.Name), writer: newID()}
	if at.IsFile() {
		s.mark = markOf(at.Name)
		err = s.mark.checkEmpty(at.Name)
	}
	if err == nil {
		err = at.MakeFile()
	}
	if err == nil {
		s.db, err = at.Open()
	}
	if err != nil {
		return nil, db.WithPath(s.mark.judge(err), at.Name)
	}
	return s, nil
}

// ID returns the random name that the store was given when it was made, or when it was
// retired last. Params carry the id of the store that fetched them, since only that store
// knows which of their nonces are taken.
func (s *Store) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// Refresh reads the id again, which another process changes when it retires the store.
func (s *Store) Refresh(ctx context.Context) (id string, err error) {
	id, err = read(ctx, s, "read the store's id", func(tx *db.Tx) (string, error) { return meta(tx, metaID) })
	if err == nil {
		s.setID(id)
	}
	return id, err
}

func (s *Store) setID(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = id
}

// Path returns where the store is: the absolute path of its file, or the URL of its
// database, which has no password.
func (s *Store) Path() string { return s.db.Name }

// Close closes the store. Whatever a method has returned is on disk already.
func (s *Store) Close() error {
	err := s.db.Close()
	if newest := s.mark.newestSeen(); newest.generation > 0 {
		s.remember(newest) // the last to close a file has emptied its log into it
	}
	return err
}

// remember keeps a state of the store that is committed. What could not be written down
// stays behind, and is written with the next change.
func (s *Store) remember(now markState) {
	s.setID(now.id)
	if flushed, _, known := s.flushed(context.Background()); known {
		now.flushed = max(now.flushed, flushed)
	}
	_ = s.mark.keep(now)
}

// flushed is the generation that a store's file has without its log, and logged tells
// whether there was anything in the log; known is false where there is no such thing.
func (s *Store) flushed(ctx context.Context) (generation int64, logged, known bool) {
	text, logged, known := s.db.Unlogged(ctx, selectMeta, metaGeneration)
	if known {
		var err error
		generation, _, err = parseGeneration(text)
		known = err == nil
	}
	return generation, logged, known
}

// read returns what do finds in a transaction that sees one state of the store. Its error
// says what was to be done.
func read[T any](ctx context.Context, s *Store, what string, do func(*db.Tx) (T, error)) (found T, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = do(tx)
		return err
	})
	if err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", what, err)
	}
	return found, nil
}
