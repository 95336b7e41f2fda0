package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// connections is how many one store uses: one that writes, one for who only reads
	// and need not wait for it, and one for a run's lock. A fleet shares what its server
	// allows.
	connections = 3

	// connectPatience is how long a server may take to let us in.
	connectPatience = 10 * time.Second

	// silence is how long a server may take for one statement. It is longer than a
	// statement waits for the lock, so that what ends it is a server, or a network,
	// that is gone.
	silence = lockPatience + 10*time.Second

	// writeLock names the lock that who writes to the store holds. In a database that
	// is shared it must be nobody else's: it is "pmctl" in ASCII and a version.
	writeLock = 0x706d63746c_01
)

// postgres is the backend of the schema pmctl in a PostgreSQL database.
type postgres struct {
	name string
	pool *sql.DB
}

func openPostgres(at Location, silence time.Duration) *DB {
	config := at.config
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectPatience
	}
	// One round trip a statement, and nothing on the server that a connection pooler
	// between it and us could lose.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.Tracer = statementLimit(silence)
	// begin notices by itself that an idle connection was lost.
	noPing := stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false })
	pool := stdlib.OpenDB(*config, noPing)
	pool.SetMaxOpenConns(connections)
	return &DB{Location: at, backend: postgres{at.Name, pool}, Pool: pool, Patience: lockPatience}
}

// begin implements backend. Transactions that write take one lock, in the order in
// which they ask for it, and then see all that was committed before: what is right on
// SQLite, which has one writer at a time, is right here. The transactions are a few
// short statements, so waiting for each other costs less than failing for each other,
// which is what serializable transactions on the same few rows would do.
//
// Whatever the server's, the database's or the role's defaults are, a commit returns
// when it is on disk, and a lock is not kept by a machine that went away.
func (p postgres) begin(ctx context.Context, write bool, patience time.Duration) (*sql.Tx, error) {
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	prepare := `SET LOCAL search_path = pmctl`
	if write {
		// Each statement must see what was committed while it waited for the lock.
		options = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
		prepare += fmt.Sprintf(`;
			SET LOCAL synchronous_commit = on;
			SET LOCAL lock_timeout = %d;
			SET LOCAL idle_in_transaction_session_timeout = %d;
			SELECT pg_advisory_xact_lock(%d)`,
			max(1, patience.Milliseconds()), silence.Milliseconds(), int64(writeLock))
	}
	tx, err := p.pool.BeginTx(ctx, options)
	// Connections that lay idle may have been lost since, with a server that was
	// started again. Nothing was done yet.
	for range connections {
		if err == nil || ctx.Err() != nil || !wasLost(err) {
			break
		}
		tx, err = p.pool.BeginTx(ctx, options)
	}
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, prepare); err != nil {
		_ = tx.Rollback() // err says more
		return nil, err
	}
	return tx, nil
}

// commit implements backend. Only the server's own refusal, after which it goes on
// serving us, tells that nothing was done.
func (p postgres) commit(tx *sql.Tx) error {
	err := tx.Commit()
	var refused *pgconn.PgError
	switch {
	case err == nil, errors.Is(err, pgx.ErrTxCommitRollback), errors.Is(err, sql.ErrTxDone):
		return err
	case errors.As(err, &refused) && refused.SeverityUnlocalized == "ERROR":
		return err
	}
	return fmt.Errorf("%w: %w", ErrUncertain, p.explain(err))
}

// Tables implements backend. To a role without rights tables look as if they were not
// there, so that it asks for the rights too: it fails with *RightsError.
func (p postgres) Tables(tx *Tx) ([]string, error) {
	missing := RightsError{Store: p.name}
	names, err := List(tx, func(rows *sql.Rows) (name string, err error) {
		var usage, all bool
		err = rows.Scan(&name, &missing.Role, &usage, &all)
		if !usage || !all {
			missing.Usage = missing.Usage || !usage
			missing.Tables = append(missing.Tables, name)
		}
		return name, err
	}, `SELECT c.relname, current_user, has_schema_privilege(n.oid, 'USAGE'),
			has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
				AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'pmctl' AND c.relkind IN ('r', 'p') ORDER BY c.relname`)
	if err == nil && len(missing.Tables) > 0 {
		return nil, &missing
	}
	return names, err
}

// Create implements backend. A schema that is there, and empty, is used: a role need
// not have the right to make one.
func (postgres) Create(tx *Tx) error {
	var found bool
	if err := tx.Row(`SELECT to_regnamespace('pmctl') IS NOT NULL`).Scan(&found); err != nil || found {
		return err
	}
	return tx.Exec(`CREATE SCHEMA pmctl`)
}

// Place implements backend. A copy has another server's identifier or another number; a
// server that was restored from a backup, or a standby that took its place, has begun
// another timeline, on which the last commits may be missing; and a dump that was restored
// has tables of its own. (The number of a table stays through VACUUM FULL and CLUSTER.)
func (postgres) Place(tx *Tx) (p Place, err error) {
	err = tx.Row(`SELECT (SELECT system_identifier FROM pg_control_system())::text,
		'database ' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()),
		'timeline ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
		COALESCE((SELECT 'tables ' || string_agg(oid::text, ' ' ORDER BY relname) FROM pg_catalog.pg_class
			WHERE relnamespace = to_regnamespace('pmctl') AND relname IN ('meta', 'requests', 'sessions')), '')`).
		Scan(&p.Machine, &p.Path, &p.File, &p.Tables)
	return p, err
}

// Unlogged implements backend: a server keeps its log to itself.
func (postgres) Unlogged(context.Context, string, ...any) (text string, logged, known bool) {
	return "", true, false
}

// Problems implements backend: a server looks after its pages itself.
func (postgres) Problems(*Tx) ([]string, error) { return nil, nil }

// prepare implements backend: it refuses a server that cannot be written, or that
// would lose what it said is committed.
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
	switch sqlState(err) {
	case "40001", "40P01", "55P03": // serialization failure, deadlock, lock not available
		return true
	}
	return false
}

func sqlState(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

// wasLost tells whether a connection that had been made is gone.
func wasLost(err error) bool {
	var connect *pgconn.ConnectError
	return isUnreachable(err) && !errors.As(err, &connect) && !pgconn.Timeout(err)
}

// isUnreachable tells whether it is the server or the way there that failed, not what
// it was asked for.
func isUnreachable(err error) bool {
	switch state := sqlState(err); {
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "57P"):
		return true // connection exceptions; the server stops or is not up yet
	case state == "53300", state == "25P03":
		return true // no connection left; we were given up for gone
	case state != "":
		return false
	}
	var network net.Error
	var connect *pgconn.ConnectError
	for _, target := range []error{driver.ErrBadConn, sql.ErrConnDone, pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, target) {
			return true
		}
	}
	return errors.As(err, &network) || errors.As(err, &connect) || pgconn.Timeout(err)
}

// explain implements backend. Of what the server says, only the message is shown:
// its details would show a row's values.
func (p postgres) explain(err error) error {
	state := sqlState(err)
	reason := &oneLine{err}
	if connect := new(pgconn.ConnectError); errors.As(err, &connect) {
		reason.err = connect.Unwrap() // the name says already what it says besides
	}
	switch {
	case err == nil, errors.Is(err, ErrBusy), errors.Is(err, ErrUncertain), errors.Is(err, ErrAccess), errors.Is(err, ErrDamaged):
		return err
	case state == "55P03":
		return fmt.Errorf("%w: %w", ErrBusy, reason)
	case pgconn.Timeout(err):
		return fmt.Errorf("%w: %s does not answer: %w", ErrUnreachable, p.name, reason)
	case isUnreachable(err):
		return fmt.Errorf("%w: %s: %w", ErrUnreachable, p.name, reason)
	case state == "25006":
		return fmt.Errorf("%w: %s is read-only: %w", ErrAccess, p.name, reason)
	case strings.HasPrefix(state, "XX"), strings.HasPrefix(state, "23"), state == "42P01", state == "42703":
		// Broken pages, rows that contradict each other, tables that are not what
		// they were when the store was opened.
		return fmt.Errorf("%w: %s: %w", ErrDamaged, p.name, reason)
	case state != "":
		return fmt.Errorf("%w: %s: %w", ErrAccess, p.name, reason)
	}
	return err
}

// oneLine is an error whose text is one line, and says nothing twice: the driver has a
// line for each way in which it tried to connect.
type oneLine struct{ err error }

func (e *oneLine) Unwrap() error { return e.err }

func (e *oneLine) Error() string {
	var lines []string
	for line := range strings.Lines(e.err.Error()) {
		line = strings.TrimSpace(line)
		if len(lines) == 0 || lines[len(lines)-1] != line {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// statementLimit ends a statement that takes longer, also where the caller's context
// has no deadline.
type statementLimit time.Duration

type cancelKey struct{}

// TraceQueryStart implements pgx.QueryTracer: the statement runs in the context that
// it returns.
func (l statementLimit) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(l))
	return context.WithValue(ctx, cancelKey{}, cancel)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (statementLimit) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	ctx.Value(cancelKey{}).(context.CancelFunc)()
}
