package db

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/pmctl/pmctl/internal/durable/forgetful"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// server is started by the first test that needs it, and ended by TestMain.
var server pgtest.Server

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(serving{m})
}

// serving ends the server when all tests have run.
type serving struct{ m *testing.M }

func (s serving) Run() int {
	defer server.Stop()
	return s.m.Run()
}

func open(t *testing.T, location string) *DB {
	t.Helper()
	at, err := Locate(location)
	require.NoError(t, err)
	d, err := at.Open()
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// stateOf returns a run's state, in a transaction of its own.
func stateOf(t *testing.T, d *DB, at Run, token string) (became RunState) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *Tx) (err error) {
		became, err = at.State(tx, token)
		return err
	})
	require.NoError(t, err)
	return became
}

// A run that has ended counts as ended at once, before its server notices the closed
// connection.
func TestAnEndedRunIsGoneAtOnce(t *testing.T) {
	location := server.Database(t)
	d := open(t, location)
	watching := d.NewRun()
	for range 100 {
		used := open(t, location)
		ended := used.NewRun()
		token, err := ended.Begin(t.Context())
		require.NoError(t, err)
		require.Equal(t, Alive, stateOf(t, d, watching, token))
		require.NoError(t, used.Close(), "as a command ends: the store first, the run last")
		require.NoError(t, ended.End())
		require.Equal(t, Gone, stateOf(t, d, watching, token))
	}
}

// Two processes that look at one run do not take each other for it.
func TestTwoLooksAtARun(t *testing.T) {
	d := open(t, server.Database(t))
	watching := d.NewRun()
	err := d.Read(t.Context(), func(tx *Tx) error {
		became, err := watching.State(tx, "ended")
		require.NoError(t, err)
		require.Equal(t, Gone, became)
		require.Equal(t, Gone, stateOf(t, d, watching, "ended"))
		return nil
	})
	require.NoError(t, err)
}

// A server notices within half a minute, not the default two hours, that a run's machine lost
// its power or network.
func TestAServerNoticesAMachineThatIsGone(t *testing.T) {
	d := open(t, server.Database(t))
	r := d.NewRun().(*serverRun)
	_, err := r.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, r.End()) }()
	for name, most := range map[string]int{"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 4, "tcp_user_timeout": 30000} {
		var value int
		require.NoError(t, r.conn.QueryRowContext(t.Context(), `SELECT setting::int FROM pg_settings WHERE name = $1`, name).Scan(&value))
		require.Positive(t, value, name)
		require.LessOrEqual(t, value, most, name)
	}
}

// A run waits for days: no server ends its connection for that, and so its lock.
func TestARunMayWait(t *testing.T) {
	location := server.Database(t)
	d := open(t, location)
	var name string
	require.NoError(t, d.Pool.QueryRow(`SELECT current_database()`).Scan(&name))
	pgtest.Exec(t, location, `ALTER DATABASE `+name+` SET idle_session_timeout = '1h'`)
	r := open(t, location).NewRun().(*serverRun)
	_, err := r.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, r.End()) }()
	var limit string
	require.NoError(t, r.conn.QueryRowContext(t.Context(), `SHOW idle_session_timeout`).Scan(&limit))
	require.Equal(t, "0", limit)
}

// A run begins whichever idle connections were lost meanwhile.
func TestARunBeginsAfterConnectionsWereLost(t *testing.T) {
	location := server.Database(t)
	for _, lost := range [][]int{{0}, {1}, {0, 1}} {
		d := open(t, location)
		var idle []*sql.Conn
		var pids []int
		for range 2 {
			conn, err := d.Pool.Conn(t.Context())
			require.NoError(t, err)
			var pid int
			require.NoError(t, conn.QueryRowContext(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
			idle, pids = append(idle, conn), append(pids, pid)
		}
		for _, conn := range idle {
			require.NoError(t, conn.Close())
		}
		for _, i := range lost {
			pgtest.Exec(t, location, fmt.Sprintf(`SELECT pg_terminate_backend(%d, 60000)`, pids[i]))
		}
		r := d.NewRun()
		_, err := r.Begin(t.Context())
		require.NoError(t, err, lost)
		require.NoError(t, r.End())
	}
}

// Calls without a deadline end too if the server hangs.
func TestAStatementThatTakesTooLong(t *testing.T) {
	at, err := Locate(server.Database(t))
	require.NoError(t, err)
	d := openPostgres(at, 100*time.Millisecond)
	defer d.Close()
	err = d.Write(context.Background(), func(tx *Tx) error { return tx.Exec(`SELECT pg_sleep(60)`) })
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, "does not answer")
	require.ErrorContains(t, err, "does not answer within 100ms")
	require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller's time is not up")
}

// A connection that is lost once all is read changes nothing: a read has no commit whose outcome
// could be unknown.
func TestAReadHasNothingToCommit(t *testing.T) {
	location := server.Database(t)
	d := open(t, location)
	for range 2 {
		err := d.Read(t.Context(), func(tx *Tx) error {
			var pid int
			require.NoError(t, tx.Row(`SELECT pg_backend_pid()`).Scan(&pid))
			pgtest.Exec(t, location, fmt.Sprintf(`SELECT pg_terminate_backend(%d, 60000)`, pid))
			return nil
		})
		require.NoError(t, err)
	}
}

// A new file survives a power failure, with its folders. SQLite syncs the content.
func TestANewFileSurvivesAPowerFailure(t *testing.T) {
	root := t.TempDir()
	files := forgetful.Below(root)
	path := filepath.Join(root, "state", "pmctl", "store.db")
	require.NoError(t, createFile(files, path))
	require.NoError(t, files.LosePower())
	require.FileExists(t, path)
}

func TestNamesOfDatabases(t *testing.T) {
	for location, want := range map[string]string{
		"postgres://me:secret@host/db":                          "postgres://me@host:5432/db",
		"postgres://me:secret@host:7,other:8/db":                "postgres://me@host:7,other:8/db",
		"postgres://m%40e:secret@[::1]:7/d%20b?sslmode=require": "postgres://m%40e@[::1]:7/d%20b",
		"postgres://me:secret@/db?host=/run/postgresql":         "postgres://me@/db?host=%2Frun%2Fpostgresql",
		// Servers that share a folder differ in their ports.
		"postgres://me:secret@/db?host=/run/postgresql&port=5433": "postgres://me@/db?host=%2Frun%2Fpostgresql&port=5433",
		"postgres://me:secret@/db?host=/run/a,/run/b":             "postgres://me@/db?host=%2Frun%2Fa%2C%2Frun%2Fb",
		"host=/run/a,other port=5432,7 user=me dbname=db":         "postgres://me@/db?host=%2Frun%2Fa%2Cother&port=5432%2C7",
		// It is a location again.
		"postgres://me:secret@host/d%40b": "postgres://me@host:5432/d%40b",
	} {
		at, err := Locate(location)
		require.NoError(t, err, location)
		require.Equal(t, want, at.Name)
		again, err := Locate(at.Name)
		require.NoError(t, err, at.Name)
		require.Equal(t, want, again.Name)
	}
}

// TestAPlaceNamesItsMachine: otherwise a file that is copied to the same path of another
// machine would not be detected.
func TestAPlaceNamesItsMachine(t *testing.T) {
	if machineID() == "" {
		t.Skip("this system has no machine id")
	}
	path := filepath.Join(t.TempDir(), "store.db")
	at, err := Locate(path)
	require.NoError(t, err)
	require.NoError(t, at.MakeFile())
	here, err := open(t, path).Place(new(Tx))
	require.NoError(t, err)
	require.NotEmpty(t, here.Machine)
	require.NotContains(t, here.Machine, machineID(), "the id itself is kept out of the store")
}

func TestFilesAreToldFromDatabases(t *testing.T) {
	for location, want := range map[string]bool{
		"postgres://me@host/db":                   true,
		"postgresql://host/db":                    true,
		"host=db.example dbname=wallet":           true,
		"dbname=wallet":                           true,
		" user = me  host=/run/postgresql":        true,
		"service=wallet":                          true,
		"store.db":                                false,
		"folder/store.db":                         false,
		"/var/lib/store:1.db":                     false,
		"./host=x":                                false,
		"../postgres:x":                           false,
		"./:memory:":                              false,
		"a folder/with = and : further behind.db": false,
	} {
		isDatabase, err := classify(location)
		require.NoError(t, err, location)
		require.Equal(t, want, isDatabase, location)
	}
}
