package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Store is an open store. Its methods may be called from any goroutine, but not from a function that one
// of them calls, such as Spend.Allow: that runs in the method's transaction.
type Store struct {
	db *db.DB

	// mark remembers the store's state, and writer identifies this Store in it.
	mark   *mark
	writer string

	// retirement is what was done if the store was found restored; nil otherwise.
	retirement *Retirement

	unremembered bool

	mu sync.Mutex
	id string
}

// Option sets how a store is opened.
type Option func(*settings)

type settings struct{ memory string }

// RememberIn names the folder in which this machine remembers the state of each database, so
// that a restored one is detected. Without it the state is remembered as long as the Store is
// open. The state of a file is remembered beside it.
func RememberIn(folder string) Option { return func(s *settings) { s.memory = folder } }

// connect prepares to use the store at a location, without reading it. If a file is missing it
// creates an empty one.
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

// ID returns the random ID that the store got when it was created or last retired. Ticket params
// carry the ID of the store that fetched them, since only that store has their session's nonces.
func (s *Store) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// Refresh reads the ID again, which another process changes when it retires the store. It fails with
// *RestoredError for a file that was replaced: this process has the old one open.
func (s *Store) Refresh(ctx context.Context) (string, error) {
	found, err := snapshot(ctx, s, "read the store's id", func(tx *db.Tx) (condition, error) { return s.examine(ctx, tx) })
	switch {
	case err != nil:
		return "", err
	case found.cause != nil && s.db.IsFile(): // what is read is the old file
		return "", &RestoredError{Path: s.Path(), Cause: *found.cause}
	}
	s.setID(found.id)
	return found.id, nil
}

func (s *Store) setID(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = id
}

// Path returns the absolute path of the store's file, or the URL of its database without the
// password.
func (s *Store) Path() string { return s.db.Name }

// Close closes the store. Everything that a method has returned is on disk already.
func (s *Store) Close() error {
	err := s.db.Close()
	if newest := s.mark.newestSeen(); newest.generation > 0 {
		s.remember(newest) // the last process to close a file has emptied its log into it
	}
	return err
}

// remember keeps a committed state of the store. A mark that could not be renamed stays behind,
// until the next change.
func (s *Store) remember(now markState) {
	s.setID(now.id)
	if at, _, known := s.db.Written(); known && !now.isAt(at) {
		file, _ := s.unlogged(context.Background())
		now.fileState = now.fileState.with(file)
	}
	_ = s.mark.keep(now)
}

// unlogged reads the state of a store's file. A new one, which is in its log alone, has nothing; known is
// false for that, and for a database.
func (s *Store) unlogged(ctx context.Context) (file fileState, known bool) {
	text, known := s.db.Unlogged(ctx, selectMeta, metaGeneration)
	if known {
		var err error
		file.flushed, _, err = parseGeneration(text)
		known = err == nil
	}
	file.at, _, _ = s.db.Written() // the file has at least that generation then
	return file, known
}

// read returns the result of do, which asks the store once. what is the operation's name in errors.
func read[T any](ctx context.Context, s *Store, what string, do func(*db.Tx) (T, error)) (T, error) {
	return resultOf(ctx, s.db.ReadOnce, what, do)
}

// snapshot is read for a do that asks more than once, and sees one state of the store.
func snapshot[T any](ctx context.Context, s *Store, what string, do func(*db.Tx) (T, error)) (T, error) {
	return resultOf(ctx, s.db.Read, what, do)
}

func resultOf[T any](ctx context.Context, run func(context.Context, func(*db.Tx) error) error, what string, do func(*db.Tx) (T, error)) (found T, err error) {
	err = run(ctx, func(tx *db.Tx) (err error) {
		found, err = do(tx)
		return err
	})
	if err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", what, err)
	}
	return found, nil
}
