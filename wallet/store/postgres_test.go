package store

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// edit changes a part of a database's URL.
func edit(t *testing.T, location string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(location)
	require.NoError(t, err)
	change(u)
	return u.String()
}

// secret is the password in a URL.
func secret(t *testing.T, location string) (password string) {
	t.Helper()
	edit(t, location, func(u *url.URL) { password, _ = u.User.Password() })
	require.NotEmpty(t, password)
	return password
}

func TestADatabaseIsNamedWithoutItsPassword(t *testing.T) {
	location := server.Database(t)
	s := open(t, location)
	require.NotContains(t, s.Path(), secret(t, location))
	require.Equal(t, edit(t, location, func(u *url.URL) { u.User, u.RawQuery = url.User("postgres"), "" }), s.Path())
}

// Whatever the defaults of server, database and role, a commit is durable when it returns, and
// a lock does not outlive its machine.
func TestACommitIsDurableWhateverTheDefaults(t *testing.T) {
	location := server.Database(t)
	s := open(t, location)
	pgtest.Exec(t, location, `ALTER DATABASE `+databaseOf(t, location)+` SET synchronous_commit = off`,
		`ALTER DATABASE `+databaseOf(t, location)+` SET search_path = public`,
		`ALTER DATABASE `+databaseOf(t, location)+` SET statement_timeout = '10s'`)
	require.NoError(t, s.Close())
	s = open(t, location)
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "lock_timeout": "20s", "statement_timeout": "30s", "idle_in_transaction_session_timeout": "30s", "search_path": "pmctl",
	} {
		require.NoError(t, s.write(t.Context(), func(tx *db.Tx) error {
			var got string
			require.NoError(t, tx.Row(`SELECT current_setting($1)`, setting).Scan(&got))
			require.Equal(t, want, got, setting)
			return nil
		}))
	}
}

// A request is found by any role, whatever its client_encoding, in a database of any encoding.
func TestARequestIsFoundWhateverTheEncoding(t *testing.T) {
	utf8 := server.Database(t)
	latin1 := edit(t, utf8, func(u *url.URL) { u.Path += "_latin1" })
	pgtest.Exec(t, utf8, `CREATE DATABASE `+databaseOf(t, latin1)+` ENCODING 'LATIN1' TEMPLATE template0`)
	for _, location := range []string{utf8, latin1} {
		spend := Spend{Sender: common.Address{1}, Params: params(1), Count: 1, Request: &Request{ID: "Zürich 日"}}
		first, err := open(t, location).Chain(testChain).Reserve(t.Context(), spend)
		require.NoError(t, err)
		for _, encoding := range []string{"LATIN1", "UTF8", "SQL_ASCII"} {
			pgtest.Exec(t, location, `ALTER DATABASE `+databaseOf(t, location)+` SET client_encoding = '`+encoding+`'`)
			again, err := open(t, location).Chain(testChain).Reserve(t.Context(), spend)
			require.NoError(t, err, encoding)
			require.NotNil(t, again.Before, encoding)
			require.Equal(t, first.Nonces, again.Nonces, encoding)
		}
	}
}

func databaseOf(t *testing.T, location string) (name string) {
	edit(t, location, func(u *url.URL) { name = strings.TrimPrefix(u.Path, "/") })
	return name
}

// A database may have tables of other programs, outside of the schema pmctl.
func TestADatabaseIsShared(t *testing.T) {
	location := server.Database(t)
	pgtest.Exec(t, location, `CREATE TABLE meta (theirs INT)`, `CREATE TABLE sessions (theirs INT)`)
	reserve(t, open(t, location), params(1), 1)
	pgtest.Exec(t, location, `SELECT theirs FROM public.meta`, `SELECT used_nonces FROM pmctl.sessions`)

	foreign := server.Database(t)
	pgtest.Exec(t, foreign, `CREATE SCHEMA pmctl`, `CREATE TABLE pmctl.sessions (theirs INT)`)
	_, err := Open(t.Context(), foreign)
	require.ErrorIs(t, err, ErrNotStore)
	require.ErrorContains(t, err, databaseOf(t, foreign))
	behind(t, foreign, func(s *Store) {
		require.NoError(t, s.db.Read(t.Context(), func(tx *db.Tx) error {
			names, err := s.db.Tables(tx)
			require.Equal(t, []string{"sessions"}, names)
			return err
		}))
	})
}

// A role needs no rights but on a schema that its administrator has created.
func TestARoleWithFewRights(t *testing.T) {
	location := server.Database(t)
	name := databaseOf(t, location)
	pgtest.Exec(t, location, `CREATE ROLE `+name+` LOGIN PASSWORD 'weak'`)
	weak := edit(t, location, func(u *url.URL) { u.User = url.UserPassword(name, "weak") })
	_, err := Open(t.Context(), weak)
	require.ErrorIs(t, err, ErrAccess)
	require.ErrorContains(t, err, "permission denied for database")

	pgtest.Exec(t, location, `CREATE SCHEMA pmctl AUTHORIZATION `+name)
	before := open(t, weak)
	reserve(t, before, params(1), 1)
	pgtest.Exec(t, location, `REVOKE ALL ON pmctl.sessions FROM `+name)
	_, err = before.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
	require.ErrorIs(t, err, ErrAccess)

	pgtest.Exec(t, location, `DROP TABLE pmctl.params`)
	_, err = open(t, location).Chain(testChain).Params(t.Context(), common.Address{1}, "https://recipient:8935")
	require.ErrorIs(t, err, ErrDamaged)
}

func TestServersThatCannotBeUsed(t *testing.T) {
	location := server.Database(t)
	password := secret(t, location)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // it accepts, and never answers
	require.NoError(t, err)
	defer listener.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	readOnly := server.Database(t)
	pgtest.Exec(t, readOnly, `ALTER DATABASE `+databaseOf(t, readOnly)+` SET default_transaction_read_only = on`)

	for name, c := range map[string]struct {
		location, says string
		unreachable    bool
	}{
		"wrong password": {edit(t, location, func(u *url.URL) { u.User = url.UserPassword("postgres", password+"x") }),
			"password authentication failed", false},
		"no such database": {edit(t, location, func(u *url.URL) { u.Path = "/nothing" }), `database "nothing" does not exist`, false},
		"no listener":      {edit(t, location, func(u *url.URL) { u.Host = closed.Addr().String() }), "refused", true},
		"no listener, TLS preferred": {edit(t, location, func(u *url.URL) { u.Host, u.RawQuery = closed.Addr().String(), "sslmode=prefer" }),
			"refused", true},
		"no such host": {edit(t, location, func(u *url.URL) { u.Host = "server.invalid" }), "server.invalid", true},
		"silence": {edit(t, location, func(u *url.URL) { u.Host, u.RawQuery = listener.Addr().String(), "sslmode=disable&connect_timeout=1" }),
			"does not answer within 1s", true},
		"no TLS":    {edit(t, location, func(u *url.URL) { u.RawQuery = "sslmode=require" }), "refused TLS", true},
		"read-only": {readOnly, "read-only", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), c.location)
			require.ErrorIs(t, err, ErrAccess)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "postgres://postgres@")
			require.NotContains(t, err.Error(), password)
			require.NotContains(t, err.Error(), "\n")
			if c.unreachable {
				require.ErrorIs(t, err, ErrUnreachable)
			} else {
				require.NotErrorIs(t, err, ErrUnreachable)
			}
		})
	}
}

// A pooler that has no session left says so as an internal error, which is no damage.
func TestAPoolerThatIsFull(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		pooler := pgproto3.NewBackend(conn, conn)
		if _, err := pooler.ReceiveStartupMessage(); err != nil {
			return
		}
		pooler.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "XX000", Message: "max clients reached in session mode"})
		_ = pooler.Flush()
	}()
	_, err = Open(t.Context(), "postgres://me@"+listener.Addr().String()+"/db?sslmode=disable")
	require.ErrorContains(t, err, "max clients reached")
	require.ErrorIs(t, err, ErrUnreachable)
	require.NotErrorIs(t, err, ErrDamaged)
}

// Opening a store on a server that does not answer ends with the context.
func TestOpeningEndsWithTheContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if conn, err := listener.Accept(); err == nil {
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 1)) // it has asked
			cancel()
			_, _ = io.Copy(io.Discard, conn)
		}
	}()
	_, err = Open(ctx, "postgres://me@"+listener.Addr().String()+"/db?sslmode=disable")
	require.ErrorIs(t, err, context.Canceled)
}

// Both servers would report a commit and not have it: a standby cannot write, and the other
// does not wait for the disk.
func TestServersThatCannotKeepAnything(t *testing.T) {
	var server pgtest.Server
	defer server.Stop()
	location := server.Database(t)
	require.NoError(t, open(t, location).Close())

	pgtest.Exec(t, location, `ALTER SYSTEM SET fsync = off`)
	server.Crash(t, false)
	server.Start(t)
	_, err := Open(t.Context(), location)
	require.ErrorIs(t, err, ErrAccess)
	require.ErrorContains(t, err, "fsync is off")

	pgtest.Exec(t, location, `ALTER SYSTEM RESET fsync`)
	server.Crash(t, false)
	server.StartAsStandby(t)
	_, err = Open(t.Context(), location)
	require.ErrorIs(t, err, ErrAccess)
	require.ErrorContains(t, err, "is a standby")
	behind(t, location, func(s *Store) {
		err := tryChange(t, s, `DELETE FROM sessions`)
		require.ErrorIs(t, err, ErrAccess, "it has become a standby since")
	})
}

// dropAnswer forwards to a server until a client commits, and calls end then. The commit arrives; its
// answer does not.
func dropAnswer(t *testing.T, address string, end func()) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		up, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		defer up.Close()
		go func() { _, _ = io.Copy(client, up) }()
		buffer := make([]byte, 1<<16)
		for {
			n, err := client.Read(buffer)
			if err != nil {
				return
			}
			last := bytes.Contains(buffer[:n], []byte("COMMIT\x00"))
			if last {
				end()
				client.Close()
			}
			if _, err := up.Write(buffer[:n]); err != nil {
				return
			}
			if last {
				_, _ = up.Read(buffer) // it is done
				return
			}
		}
	}()
	return listener.Addr().String()
}

// Nonces whose reservation may or may not have been committed are not used.
func TestACommitWithoutAnAnswer(t *testing.T) {
	location := server.Database(t)
	direct := open(t, location)
	reserve(t, direct, params(1), 5)

	var address string
	edit(t, location, func(u *url.URL) { address = u.Host })
	through, err := connect(edit(t, location, func(u *url.URL) { u.Host = dropAnswer(t, address, func() {}) }), nil)
	require.NoError(t, err)
	defer through.Close()
	through.setID(direct.ID())
	nonces, err := through.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 3, 0)
	require.ErrorIs(t, err, ErrUncertain)
	require.ErrorIs(t, err, ErrUnreachable)
	require.NotContains(t, err.Error(), secret(t, location))
	require.Zero(t, nonces)

	require.EqualValues(t, 9, reserve(t, direct, params(1), 1).First, "6 to 8 were taken, and are lost")
	require.Len(t, ledger(t, direct), 3, "nothing was tried twice")
}

// A server's error message shows no values of a row.
func TestAServersErrorShowsNoRow(t *testing.T) {
	s := open(t, server.Database(t))
	w := s.Chain(testChain).Winners(isActive)
	require.NoError(t, w.StoreWinningTicket(winning(ann, 1, 5)))
	err := tryChange(t, s, `UPDATE winners SET face_value = NULL`)
	require.ErrorIs(t, err, ErrDamaged)
	digits := winning(ann, 1, 5).RecipientRand.String()[:40]
	require.NotContains(t, err.Error(), digits)
	var refused *pgconn.PgError
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Detail, digits, "the server does tell")
}
