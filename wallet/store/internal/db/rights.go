package db

import (
	"fmt"
	"strings"
)

// RightsError is the ErrAccess of a role that lacks rights on a store's tables.
type RightsError struct {
	// Store is the database, and Role the role without the rights.
	Store, Role string

	// Usage is set if the role lacks USAGE on the schema pmctl; Tables are those that it may
	// not read or write.
	Usage  bool
	Tables []string
}

func (e *RightsError) Error() string {
	what := "tables " + strings.Join(e.Tables, ", ")
	if e.Usage {
		what = "the schema pmctl"
	}
	return fmt.Sprintf("%v: role %q has no right to use %s of %s", ErrAccess, e.Role, what, e.Store)
}

func (e *RightsError) Unwrap() error { return ErrAccess }

func (e *RightsError) Hint() string {
	role := `"` + strings.ReplaceAll(e.Role, `"`, `""`) + `"`
	return "as the owner of the schema run: GRANT USAGE ON SCHEMA pmctl TO " + role +
		"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pmctl TO " + role
}

// PoolerError is the ErrAccess of a database behind a pooler that gives a session to
// several clients, such as pgbouncer with pool_mode = transaction: the lock by which
// others see that a transaction's run is alive would be lost.
type PoolerError struct {
	// Store is the database.
	Store string
}

func (e *PoolerError) Error() string {
	return fmt.Sprintf("%v: a connection pooler between here and %s gives one session to several clients (pgbouncer's pool_mode = transaction)", ErrAccess, e.Store)
}

func (e *PoolerError) Unwrap() error { return ErrAccess }

func (e *PoolerError) Hint() string {
	return "set pool_mode = session for this database in the pooler, or connect to PostgreSQL itself"
}
