// Package store keeps what must survive a crash: which nonces of a session are
// taken, what was spent on whom, the ticket params that a later run goes on with,
// and the tickets that won.
//
// The order of calls that keeps money safe is always the same:
//
//  1. Check the params against the limits. Nothing is written yet.
//  2. Reserve nonces. The reservation is on disk when the call returns.
//  3. Sign tickets with exactly these nonces.
//  4. Deliver them.
//
// A crash between two steps burns nonces, which costs nothing: recipients count
// distinct nonces. No nonce is ever handed out twice, however many goroutines and
// processes share the store.
//
// What is spent is booked with the reservation, and a budget is held there (Reserve). A
// store that finds itself moved, copied or restored retires its sessions (Retirement), which
// may be in use elsewhere. It may lack records then: until that is acknowledged (Acknowledge)
// nothing is begun that a lost record would have stopped.
//
// A recipient keeps its winning tickets here, Chain.Winners, from when they are
// received until they are redeemed.
//
// The store is one SQLite file in WAL mode, synced at every commit, or a schema of a
// PostgreSQL database, which a fleet of machines can share. What only one of
// them knows is in package db; the SQL here is plain enough for both. The tables are in
// schema, and each table's statements are in the file that uses them: above them are
// store.go and open.go, and home.go, mark.go and retire.go, which find out whether the store
// is what it was.
package store
