package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/pmctl/pmctl/internal/durable"
)

const (
	// lockWait is how long SQLite itself waits for another process's lock. It is
	// short because SQLite does not notice meanwhile that a context has ended.
	lockWait = 200 * time.Millisecond

	// lockPatience is how long one call waits for the lock in all.
	lockPatience = 20 * time.Second
)

// sqliteFile is the backend of a store in a file of its own.
type sqliteFile struct {
	path string
	mark *mark
	last *flushedFile
}

// begin implements backend: SQLite lets one connection write at a time.
func (sqliteFile) begin(ctx context.Context, db *sql.DB, write bool, _ time.Duration) (*sql.Tx, error) {
	return db.BeginTx(ctx, &sql.TxOptions{ReadOnly: !write})
}

func (sqliteFile) commit(tx *sql.Tx) error { return tx.Commit() }

// create implements backend: the file is the place.
func (sqliteFile) create(context.Context, *sql.Tx) error { return nil }

func (f sqliteFile) home(context.Context, *sql.Tx) (home, error) {
	at, err := homeOf(f.path)
	if err != nil {
		return home{}, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	at.Mark, err = f.mark.identity()
	return at, err
}

// keepsSessions implements backend: a file has no sessions.
func (sqliteFile) keepsSessions(context.Context, *sql.DB) error { return nil }

func (sqliteFile) problems(ctx context.Context, tx *sql.Tx) ([]string, error) {
	found, err := texts(ctx, tx, `PRAGMA integrity_check(20)`)
	if len(found) == 1 && found[0] == "ok" {
		found = nil
	}
	return found, err
}

func (sqliteFile) replaced() CauseCode { return CauseFile }

// flushed implements backend. It reads the file as if nobody wrote to it, and so without
// its log: together with the log an older file may look like the newest one.
func (f sqliteFile) flushed(ctx context.Context) (generation int64, logged, known bool) {
	log, err := os.Stat(f.path + "-wal")
	logged = err == nil && log.Size() > 0 || err != nil && !errors.Is(err, os.ErrNotExist)
	generation, known = f.last.look(ctx, f.path)
	return generation, logged, known
}

// flushedFile is the generation in a file, which is read again when the file has changed.
type flushedFile struct {
	mu         sync.Mutex
	size       int64
	changed    time.Time
	generation int64
}

func (l *flushedFile) look(ctx context.Context, path string) (generation int64, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	if l.generation > 0 && info.Size() == l.size && info.ModTime().Equal(l.changed) {
		return l.generation, true
	}
	l.generation = 0
	db, err := openSQLiteAs(path, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	if err != nil {
		return 0, false
	}
	defer db.Close()
	var text string
	if err := db.QueryRowContext(ctx, selectMeta, metaGeneration).Scan(&text); err != nil {
		return 0, false // a new store is in its log alone
	}
	if generation, _, err = parseGeneration(text); err != nil {
		return 0, false
	}
	l.size, l.changed, l.generation = info.Size(), info.ModTime(), generation
	return generation, true
}

// newRun implements backend: the runs' files are beside the store's.
func (f sqliteFile) newRun(*sql.DB) run { return &fileRun{folder: f.path + ".runs"} }

func (sqliteFile) prepare(ctx context.Context, db *sql.DB) error { return useWAL(ctx, db) }

// connectFile prepares to use the file at path, and makes it where there is none.
func connectFile(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	mark := markOf(path)
	err = mark.checkEmpty(path)
	if err == nil {
		err = createFile(durable.OS{}, path)
	}
	if err != nil {
		return nil, withPath(mark.judge(err), path)
	}
	db, err := openSQLite(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	return &Store{path: path, db: db, backend: sqliteFile{path, mark, new(flushedFile)}, mark: mark, writer: newID(), patience: lockPatience}, nil
}

// openSQLite opens the database file, which exists.
func openSQLite(path string) (*sql.DB, error) { return openSQLiteAs(path, fileOptions) }

func openSQLiteAs(path string, options url.Values) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn(path, options))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	// Transactions queue for this one connection, in order; across processes they
	// queue for the file's lock.
	db.SetMaxOpenConns(1)
	return db, nil
}

// options are how a store's file is opened. The journal mode is not set here: connecting
// must not change a file that turns out to belong to another program.
var fileOptions = url.Values{
	"mode":          {"rw"}, // never create: createFile chose the permissions
	"_txlock":       {"immediate"},
	"_busy_timeout": {fmt.Sprint(lockWait.Milliseconds())},
	"_synchronous":  {"FULL"},
	"_pragma": {
		"fullfsync(1)",       // macOS, where fsync alone does not reach the disk
		"cell_size_check(1)", // looks closer at each page that is read
	},
	"_foreign_keys": {"on"},
	"_defensive":    {"1"},
	"_dqs":          {"0"},
	"_error_rc":     {"1"},
}

// dsn names the file for the driver.
func dsn(path string, options url.Values) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a drive letter
	}
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: options.Encode()}
	return u.String()
}

// smallestDatabase is SQLite's smallest page size: no database with content is
// shorter.
const smallestDatabase = 512

// createFile makes an empty database file with mode 0600 unless there is a file at
// path already. The file appears under its name complete and closed: closing a
// second descriptor of a database in use would drop this process's locks on it.
func createFile(files durable.FS, path string) error {
	if err := durable.MkdirAll(files, filepath.Dir(path)); err != nil {
		return fmt.Errorf("%w: %w", ErrAccess, err)
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%w: %s is not a regular file", ErrAccess, path)
	case err == nil && 0 < info.Size() && info.Size() < smallestDatabase:
		// SQLite would take it for empty and write over it.
		return fmt.Errorf("%w: it has %d bytes", ErrNotStore, info.Size())
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrAccess, err)
	}
	if err := linkEmptyFile(files, path); err != nil {
		return fmt.Errorf("%w: %w", ErrAccess, err)
	}
	return nil
}

// linkEmptyFile makes the file, whose name survives a power failure: a store that is lost
// gives its nonces out again.
func linkEmptyFile(files durable.FS, path string) error {
	file, err := durable.Create(files, path)
	if err != nil {
		return err
	}
	defer file.Discard()
	if err := file.Finish(); err != nil {
		return err
	}
	if err := file.Place(durable.Link); !errors.Is(err, os.ErrExist) {
		return err
	}
	// Another process has just made it. Its name must last for this one, too.
	return files.SyncDir(filepath.Dir(path))
}

// useWAL turns on write-ahead logging, in which a commit is durable once one file
// is synced. The mode stays with the file.
func useWAL(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil || mode == "wal" {
		return err
	}
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("%w: its file system does not support write-ahead logging", ErrAccess)
	}
	return nil
}

func (sqliteFile) tables(ctx context.Context, tx *sql.Tx) (names []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

func (sqliteFile) isBusy(err error) bool {
	switch primaryCode(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

// primaryCode is SQLite's result code without its details, or 0.
func primaryCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	const primary = 0xff
	return e.Code() & primary
}

func (f sqliteFile) explain(err error) error {
	path := f.path
	switch primaryCode(err) {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: it is not an SQLite database", ErrNotStore)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_ERROR:
		// Our statements fail in none of these ways unless tables, rows or indexes are
		// not what was written.
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w: %s must be readable and writable, and so must its folder: %w", ErrAccess, path, err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %s: %w", ErrAccess, path, err)
	}
	return err
}
