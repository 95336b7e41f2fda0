// Package store keeps what must survive a crash: which nonces of a session are taken, what was
// spent on which recipient, ticket params for the next payment, transactions, and winning
// tickets.
//
// The order of calls that keeps money safe is always the same:
//
//  1. Check the params against the limits. Nothing is written yet.
//  2. Reserve nonces. The reservation is on disk when the call returns.
//  3. Sign tickets with exactly these nonces.
//  4. Deliver them.
//
// A crash between two steps loses nonces, which costs nothing: recipients count distinct
// nonces. No nonce is ever returned twice, however many goroutines and processes share the
// store.
//
// Reserve books the spending together with the nonces, and enforces a budget. A store that was
// moved, copied or restored is detected: its sessions, which may be in use elsewhere, are
// retired (Retirement). It may lack records then, and until the user acknowledges that
// (Acknowledge), nothing starts that a lost record would have prevented.
//
// A recipient keeps its winning tickets here, Chain.Winners, from receipt until redemption.
//
// A remote signer's payments take the same order in one step: LivePayments checks the client,
// advances the session, reserves the nonces and records the usage. See docs/decisions/signer.md.
//
// The store is one SQLite file in WAL mode, synced at every commit, or a schema of a PostgreSQL
// database, which a fleet of machines can share. Package db hides the difference; the SQL here
// runs on both. The tables are in schema, and each table's statements in the file that uses
// them. store.go and open.go are above them, with home.go, mark.go and retire.go, which detect
// a moved, copied or restored store.
package store
