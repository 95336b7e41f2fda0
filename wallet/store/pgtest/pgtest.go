// Package pgtest starts PostgreSQL servers for tests: real ones, private to the test binary, on
// a loopback port, from the installed programs. A server syncs its commits, so that killing it
// proves something. Its files are in memory where there is room.
//
//	var postgres pgtest.Server
//
//	func TestMain(m *testing.M) {
//		code := m.Run()
//		postgres.Stop()
//		os.Exit(code)
//	}
//
// Without PostgreSQL the tests that need it are skipped, or fail if PMCTL_REQUIRE_POSTGRES is
// set.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// RequireVariable is the environment variable that makes missing programs an error.
const RequireVariable = "PMCTL_REQUIRE_POSTGRES"

// errNotInstalled says why there is no server.
var errNotInstalled = errors.New("PostgreSQL is not installed")

// patience is how long a test waits for a server: it only bounds a hang, as machines stand still at times.
const patience = 5 * time.Minute

// Server is a PostgreSQL server. It starts when it is first needed.
type Server struct {
	once     sync.Once
	err      error
	bin      string // the folder of PostgreSQL's programs
	dir      string // where its files are
	lock     *flock.Flock
	password string
	port     int
	process  *process

	mu        sync.Mutex
	databases int
	backups   int
}

// Database returns the URL, with a password, of a new and empty database.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.need(t)
	s.mu.Lock()
	s.databases++
	name := fmt.Sprintf("test%d", s.databases)
	s.mu.Unlock()
	Exec(t, s.url("postgres"), "CREATE DATABASE "+name)
	return s.url(name)
}

// need starts the server, unless it is running.
func (s *Server) need(t testing.TB) {
	t.Helper()
	s.once.Do(func() { s.err = s.create() })
	switch {
	case errors.Is(s.err, errNotInstalled) && os.Getenv(RequireVariable) == "":
		t.Skipf("skipped: %v", s.err)
	case s.err != nil:
		t.Fatalf("start PostgreSQL: %v", s.err)
	}
}

func (s *Server) url(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("postgres", s.password),
		Host:     fmt.Sprintf("127.0.0.1:%d", s.port),
		Path:     database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// create creates the server's files and starts it.
func (s *Server) create() error {
	bin, err := programs()
	if err != nil {
		return err
	}
	s.bin, s.password = bin, rand.Text()
	if s.dir, s.lock, err = newFolder(parentFolder()); err != nil {
		return err
	}
	if err := s.initialize(); err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	if s.port, err = freePort(); err == nil {
		err = s.start()
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	return nil
}

// initialize creates the server's files.
func (s *Server) initialize() error {
	passwords := filepath.Join(s.dir, "password")
	if err := os.WriteFile(passwords, []byte(s.password+"\n"), 0o600); err != nil {
		return err
	}
	initdb, err := s.command("initdb", "-D", filepath.Join(s.dir, "data"), "-U", "postgres", "--pwfile", passwords,
		"--auth", "scram-sha-256", "--no-locale", "--encoding", "UTF8", "--no-sync")
	if err != nil {
		return err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return os.Remove(passwords)
}

// Crash ends the server as a power cut does, without a shutdown: with SIGKILL, or else by its
// immediate shutdown. All of its processes have ended when Crash returns.
func (s *Server) Crash(t testing.TB, kill bool) {
	t.Helper()
	s.need(t)
	var signal os.Signal = immediateShutdown
	if kill {
		signal = os.Kill
	}
	require.NoError(t, s.process.end(signal))
}

// Start starts the server again on the same port, and returns when it answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	require.NoError(t, s.start())
}

// StartAsStandby starts the server as a read-only standby.
func (s *Server) StartAsStandby(t testing.TB) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "data", "standby.signal"), nil, 0o644))
	s.Start(t)
}

// Dump returns what pg_dump writes about the database at a URL.
func (s *Server) Dump(t testing.TB, location string, options ...string) string {
	t.Helper()
	return s.run(t, "", "pg_dump", append(options, location)...)
}

// Psql runs an SQL script on the database at a URL, and fails if a statement does.
func (s *Server) Psql(t testing.TB, location, script string) {
	t.Helper()
	s.run(t, script, "psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", location)
}

// Backup takes a base backup of the running server, and returns its folder.
func (s *Server) Backup(t testing.TB) (folder string) {
	t.Helper()
	s.need(t)
	s.mu.Lock()
	s.backups++
	folder = filepath.Join(s.dir, fmt.Sprintf("backup%d", s.backups))
	s.mu.Unlock()
	s.run(t, "", "pg_basebackup", "--pgdata", folder, "--checkpoint", "fast", "--no-sync", "--dbname", s.url("postgres"))
	return folder
}

// StartFrom starts the stopped server with the files of a backup.
func (s *Server) StartFrom(t testing.TB, backup string) {
	t.Helper()
	data := filepath.Join(s.dir, "data")
	require.NoError(t, errors.Join(os.RemoveAll(data), os.Rename(backup, data)))
	s.Start(t)
}

// run returns the output of one of PostgreSQL's programs.
func (s *Server) run(t testing.TB, stdin, name string, args ...string) string {
	t.Helper()
	s.need(t)
	cmd, err := s.command(name, args...)
	require.NoError(t, err)
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s: %s", name, stderr.String())
	return string(out)
}

// Stop ends the server, if it was started, and removes its files.
func (s *Server) Stop() {
	s.once.Do(func() { s.err = errors.New("the server was stopped") })
	if s.process != nil {
		_ = s.process.end(immediateShutdown)
	}
	if s.dir != "" {
		_ = s.lock.Close()
		_ = os.RemoveAll(s.dir)
	}
}

// Exec runs statements on the database at a URL.
func Exec(t testing.TB, location string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, location)
	require.NoError(t, err)
	defer conn.Close(ctx)
	for _, statement := range statements {
		_, err := conn.Exec(ctx, statement)
		require.NoError(t, err, statement)
	}
}
