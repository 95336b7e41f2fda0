package db

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/pmctl/pmctl/internal/durable"
)

const (
	// lockWait is how long SQLite itself waits for another process's lock. It is short because
	// SQLite does not check the context meanwhile.
	lockWait = 200 * time.Millisecond

	// lockPatience is how long a call waits for the lock in total.
	lockPatience = 20 * time.Second
)

// file is the backend of an SQLite file.
type file struct {
	path, machine string
	pool          *sql.DB
}

func openFile(at Location) (*DB, error) {
	pool, err := openSQLite(at.Name, fileOptions)
	if err != nil {
		return nil, NoAccess(err)
	}
	return &DB{Location: at, backend: file{at.Name, machineName(), pool}, Pool: pool, Patience: lockPatience}, nil
}

// begin implements backend: SQLite lets one connection write at a time.
func (f file) begin(ctx context.Context, write bool, _ time.Duration) (transaction, error) {
	conn, err := f.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	begin := `BEGIN`
	if write {
		begin = `BEGIN IMMEDIATE`
	}
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		_ = conn.Close() // the error says more
		return nil, err
	}
	return fileTx{ctx, conn}, nil
}

// Create implements backend: the file is the place.
func (file) Create(*Tx) error { return nil }

func (f file) Place(tx *Tx, with ...Statement) (p Place, err error) {
	if err := tx.Together(with...); err != nil {
		return p, err
	}
	if p.File, err = FileID(f.path); err != nil {
		return p, NoAccess(err)
	}
	p.Machine = f.machine
	p.Path, err = filepath.EvalSymlinks(f.path)
	return p, NoAccess(err)
}

// machineName identifies the machine without showing its ID; "" if it has none.
func machineName() string {
	id := machineID()
	if id == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(id))
	mac.Write([]byte("pmctl store"))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// KeepsSessions implements backend: a file has no sessions.
func (file) KeepsSessions(context.Context) error { return nil }

func (file) Problems(tx *Tx) ([]string, error) {
	found, err := List(tx, One[string], `PRAGMA integrity_check(20)`)
	if len(found) == 1 && found[0] == "ok" {
		found = nil
	}
	return found, err
}

// Written implements backend.
func (f file) Written() (at int64, logged, known bool) {
	info, err := os.Stat(f.path)
	if err != nil {
		return 0, false, false
	}
	log, err := os.Stat(f.path + "-wal")
	logged = err == nil && log.Size() > 0 || err != nil && !errors.Is(err, os.ErrNotExist)
	return info.ModTime().UnixNano(), logged, true
}

// Unlogged implements backend. It opens the file as immutable, and so without its log: together
// with the log an older file may look like the newest one.
func (f file) Unlogged(ctx context.Context, query string, args ...any) (text string, known bool) {
	pool, err := openSQLite(f.path, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	if err != nil {
		return "", false
	}
	defer pool.Close()
	err = pool.QueryRowContext(ctx, query, args...).Scan(&text)
	return text, err == nil // a new store is in its log alone
}

// NewRun implements backend: the runs' files are beside the store's.
func (f file) NewRun() Run { return &fileRun{folder: f.path + ".runs"} }

func openSQLite(path string, options url.Values) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn(path, options))
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(preparing{connector})
	// Transactions queue for this one connection, in order; across processes they queue for the
	// file's lock.
	pool.SetMaxOpenConns(1)
	return pool, nil
}

// logLimit has the log cut to 16 MiB when it begins anew. It grows while a process reads for long, such as an
// export, and would keep that size for as long as a signer or an agent has the store open.
const logLimit = "journal_size_limit(16777216)"

// fileOptions are the options for opening a store's file. The journal mode is not set here:
// connecting must not change a file of another program.
var fileOptions = url.Values{
	"mode":          {"rw"}, // never create: createFile chose the permissions
	"_busy_timeout": {fmt.Sprint(lockWait.Milliseconds())},
	"_synchronous":  {"FULL"},
	"_pragma": {
		"fullfsync(1)",       // macOS, where fsync alone does not reach the disk
		"cell_size_check(1)", // checks each page more closely
		logLimit,
	},
	"_foreign_keys": {"on"},
	"_defensive":    {"1"},
	"_dqs":          {"0"},
	"_error_rc":     {"1"},
}

func dsn(path string, options url.Values) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a drive letter
	}
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: options.Encode()}
	return u.String()
}

// SmallestFile is SQLite's smallest page size: no database with content is shorter.
const SmallestFile = 512

// MakeFile creates an empty file if the location is a file and there is none.
func (l Location) MakeFile() error {
	if !l.IsFile() {
		return nil
	}
	return createFile(durable.OS{}, l.Name)
}

// createFile creates an empty database file with mode 0600 unless there is a file at path. The
// file appears under its name complete and closed: closing a second descriptor of a database in
// use would drop this process's locks on it.
func createFile(files durable.FS, path string) error {
	if err := durable.MkdirAll(files, filepath.Dir(path)); err != nil {
		return NoAccess(err)
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%w: %s is not a regular file", ErrAccess, path)
	case err == nil && 0 < info.Size() && info.Size() < SmallestFile:
		// SQLite would treat it as empty and overwrite it.
		return fmt.Errorf("%w: it has %d bytes", ErrNotStore, info.Size())
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return NoAccess(err)
	}
	return NoAccess(linkEmptyFile(files, path))
}

// linkEmptyFile creates the file so that its name survives a power failure: a lost store would
// give its nonces out again.
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
	// Another process has just created it. Its name must survive for this one, too.
	return files.SyncDir(filepath.Dir(path))
}

// prepare implements backend: it turns on write-ahead logging, in which a commit is
// durable once one file is synced. The mode stays with the file.
func (f file) prepare(ctx context.Context) error {
	var mode string
	if err := f.pool.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil || mode == "wal" {
		return err
	}
	if err := f.pool.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("%w: its file system does not support write-ahead logging", ErrAccess)
	}
	return nil
}

func (file) Tables(tx *Tx) ([]string, error) {
	return List(tx, One[string], `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
}

func (file) isBusy(err error) bool {
	return slices.Contains([]int{sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}, primaryCode(err))
}

// primaryCode is SQLite's primary result code, or 0.
func primaryCode(err error) int {
	const primary = 0xff
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & primary
	}
	return 0
}

func (f file) explain(err error) error {
	switch primaryCode(err) {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: it is not an SQLite database", ErrNotStore)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_ERROR:
		// Our statements fail in these ways only if tables, rows or indexes were damaged.
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w: %s and its folder must be readable and writable: %w", ErrAccess, f.path, err)
	case sqlite3.SQLITE_IOERR:
		// Without room for the log's index, too: SQLite says "full" only about the database and the log.
		return fmt.Errorf("%w: %s: its disk is full or damaged: %w", ErrAccess, f.path, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %s: %w", ErrAccess, f.path, err)
	}
	return err
}
