package db

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/neterr"
)

const (
	// connections is how many one store uses: one for writes, one for reads, which need not
	// wait for writes, and one for a run's lock. A server's connections are shared by a fleet.
	connections = 3

	// connectPatience is how long a server may take to accept a connection.
	connectPatience = 10 * time.Second

	// silence is how long a server may take for one statement. It is longer than a statement
	// waits for the lock, so that it only ends statements of a lost server or network.
	silence = lockPatience + 10*time.Second

	// writeLock is the number of the advisory lock for writes. It must not collide with another
	// program's in the same database: it is "pmctl" in ASCII and a version.
	writeLock = 0x706d63746c_01
)

// postgres is the backend of the schema pmctl in a PostgreSQL database.
type postgres struct {
	name string
	pool *sql.DB
	// connecting and silence are how long the server may take for a connection, and for a statement.
	connecting, silence time.Duration
}

func openPostgres(at Location, silence time.Duration) *DB {
	config := at.config
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, connectPatience)
	// No round trip to prepare a statement, which a connection pooler could lose.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.Tracer = statementLimit(silence)
	// The server converts nothing: with a client_encoding of its own, a role would not find the
	// request IDs of another one.
	config.RuntimeParams["client_encoding"] = "SQL_ASCII"
	// begin retries when an idle connection was lost.
	noPing := stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false })
	pool := stdlib.OpenDB(*config, noPing)
	pool.SetMaxOpenConns(connections)
	return &DB{Location: at, backend: postgres{at.Name, pool, config.ConnectTimeout, silence}, Pool: pool, Patience: lockPatience}
}

// Tables implements backend. A role without rights does not see tables, so it checks the rights
// first and fails with ErrAccess.
func (p postgres) Tables(tx *Tx) ([]string, error) {
	var role string
	var denied []string
	usable := true
	names, err := List(tx, func(rows Scanner) (name string, err error) {
		var usage, all bool
		err = rows.Scan(&name, &role, &usage, &all)
		if !usage || !all {
			usable, denied = usable && usage, append(denied, name)
		}
		return name, err
	}, `SELECT c.relname, current_user, has_schema_privilege(n.oid, 'USAGE'),
			has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
				AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'pmctl' AND c.relkind IN ('r', 'p') ORDER BY c.relname`)
	if err == nil && len(denied) > 0 {
		return nil, noRights(p.name, role, usable, denied)
	}
	return names, err
}

// Create implements backend. It uses an existing, empty schema: a role need not have the right
// to create one.
func (postgres) Create(tx *Tx) error {
	var found bool
	if err := tx.Row(`SELECT to_regnamespace('pmctl') IS NOT NULL`).Scan(&found); err != nil || found {
		return err
	}
	return tx.Exec(`CREATE SCHEMA pmctl`)
}

// Place implements backend. A copy has another server identifier or database number; a server
// that was restored from a backup, or a promoted standby, is on another timeline, which may
// lack the last commits; a restored dump has new tables. (A table's number survives VACUUM FULL
// and CLUSTER.)
func (postgres) Place(tx *Tx, with ...Statement) (p Place, err error) {
	where := Ask(Fields(func(at *Place) []any {
		return []any{&at.Machine, &at.Path, &at.File, &at.Tables}
	}), func(at Place) error {
		p = at
		return nil
	}, `SELECT (SELECT system_identifier FROM pg_control_system())::text,
		'database ' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()),
		'timeline ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
		COALESCE((SELECT 'tables ' || string_agg(oid::text, ' ' ORDER BY relname) FROM pg_catalog.pg_class
			WHERE relnamespace = to_regnamespace('pmctl') AND relname IN ('meta', 'requests', 'sessions')), '')`)
	err = tx.Together(append(with, where)...)
	return p, err
}

// Written implements backend.
func (postgres) Written() (at int64, logged, known bool) { return 0, false, false }

// Unlogged implements backend: a server's log cannot be read.
func (postgres) Unlogged(context.Context, string, ...any) (text string, known bool) { return "", false }

// Problems implements backend: a server checks its own pages.
func (postgres) Problems(*Tx) ([]string, error) { return nil, nil }

// prepare implements backend: it refuses a server that is read-only, or that would lose commits.
func (p postgres) prepare(ctx context.Context) error {
	var standby, readOnly, forgets bool
	err := p.pool.QueryRowContext(ctx, `SELECT pg_is_in_recovery(),
		current_setting('default_transaction_read_only') = 'on', current_setting('fsync') = 'off'`).Scan(&standby, &readOnly, &forgets)
	switch {
	case err != nil:
		return err
	case standby:
		return fmt.Errorf("%w: %s is a standby, which cannot be written; use the primary server", ErrAccess, p.name)
	case readOnly:
		return fmt.Errorf("%w: %s is read-only (default_transaction_read_only is on)", ErrAccess, p.name)
	case forgets:
		return fmt.Errorf("%w: %s would lose commits in a crash, and nonces with them: fsync is off", ErrAccess, p.name)
	}
	return nil
}

// SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
func (postgres) isBusy(err error) bool {
	// Serialization failure, deadlock, lock not available.
	return slices.Contains([]string{"40001", "40P01", "55P03"}, sqlState(err))
}

func sqlState(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func wasLost(err error) bool {
	return isUnreachable(err) && !errors.As(err, new(*pgconn.ConnectError)) && !pgconn.Timeout(err)
}

// isUnreachable reports whether the server or the network failed, not the statement.
func isUnreachable(err error) bool {
	switch state := sqlState(err); {
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "57P"):
		return true // connection exceptions; the server stops or is not up yet
	case state == "53300", state == "25P03":
		return true // no connection left; the server dropped us
	case strings.HasPrefix(state, "XX") && errors.As(err, new(*pgconn.ConnectError)):
		return true // a pooler has no connection left, or the server fails before it reads the store
	case state != "":
		return false
	}
	lost := []error{driver.ErrBadConn, sql.ErrConnDone, pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed}
	return slices.ContainsFunc(lost, func(target error) bool { return errors.Is(err, target) }) ||
		errors.As(err, new(net.Error)) || errors.As(err, new(*pgconn.ConnectError)) || pgconn.Timeout(err)
}

// explain implements backend. It shows only the server's message: the details would show a
// row's values.
func (p postgres) explain(err error) error {
	state := sqlState(err)
	reason := &oneLine{err}
	if connect := new(pgconn.ConnectError); errors.As(err, &connect) {
		reason.err = connect.Unwrap() // the name is in the rest of the message
	}
	switch {
	case err == nil, errors.Is(err, ErrBusy), errors.Is(err, ErrUncertain), errors.Is(err, ErrAccess), errors.Is(err, ErrDamaged):
		return err
	case state == "55P03":
		return fmt.Errorf("%w: %w", ErrBusy, reason)
	case pgconn.Timeout(err) && neterr.Reason(err) == "":
		// Not the time that the caller has: it is not up.
		limit := p.silence
		if errors.As(err, new(*pgconn.ConnectError)) {
			limit = p.connecting
		}
		return fmt.Errorf("%w: %s does not answer within %v", ErrUnreachable, p.name, duration.Text(limit))
	case isUnreachable(err):
		return fmt.Errorf("%w: %s: %w", ErrUnreachable, p.name, reason)
	case state == "25006":
		return fmt.Errorf("%w: %s is read-only: %w", ErrAccess, p.name, reason)
	case strings.HasPrefix(state, "XX"), strings.HasPrefix(state, "23"), state == "42P01", state == "42703":
		// Damaged pages, contradictory rows, or tables that changed since the store was opened.
		return fmt.Errorf("%w: %s: %w", ErrDamaged, p.name, reason)
	case state != "":
		return fmt.Errorf("%w: %s: %w", ErrAccess, p.name, reason)
	}
	return err
}

// oneLine says why a connection failed, or joins the lines of an error, without repetitions: the
// driver has a line for each attempt to connect.
type oneLine struct{ err error }

func (e *oneLine) Unwrap() error { return e.err }

func (e *oneLine) Error() string {
	if reason := neterr.Reason(e.err); reason != "" {
		return reason
	}
	if errors.Is(e.err, pgconn.ErrConnClosed) {
		return "the connection was closed"
	}
	var lines []string
	for line := range strings.Lines(e.err.Error()) {
		line = strings.TrimSpace(line)
		if len(lines) == 0 || lines[len(lines)-1] != line {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// statementLimit ends a slow statement, also if the caller's context has no deadline.
type statementLimit time.Duration

type cancelKey struct{}

// TraceQueryStart implements pgx.QueryTracer: the statement runs in the returned context.
func (l statementLimit) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(l))
	return context.WithValue(ctx, cancelKey{}, cancel)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (statementLimit) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	ctx.Value(cancelKey{}).(context.CancelFunc)()
}

// TraceBatchStart implements pgx.BatchTracer: all of the batch is one statement.
func (l statementLimit) TraceBatchStart(ctx context.Context, c *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return l.TraceQueryStart(ctx, c, pgx.TraceQueryStartData{})
}

// TraceBatchQuery implements pgx.BatchTracer.
func (statementLimit) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (l statementLimit) TraceBatchEnd(ctx context.Context, c *pgx.Conn, _ pgx.TraceBatchEndData) {
	l.TraceQueryEnd(ctx, c, pgx.TraceQueryEndData{})
}
