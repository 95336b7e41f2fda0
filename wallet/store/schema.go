package store

import (
	"embed"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// schemaFiles are the tables of a new store (currentSchema), and what each schema version changed.
// A store of an older version is upgraded by running the versions that it lacks, so a version
// never changes. All of it runs on SQLite and PostgreSQL.
//
// Hashes, addresses and signatures are hex with 0x, addresses checksummed; integers that may
// exceed 63 bits are decimal text; times are milliseconds since 1970 in UTC.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

const (
	// schemaVersion is what this package reads and writes. spendingVersion added the spending,
	// writersVersion the writers, by which an older copy is recognized, and signerVersion the tables
	// of a remote signer.
	schemaVersion   = 17
	spendingVersion = 4
	writersVersion  = 9
	signerVersion   = 11
)

const currentSchema = "current"

// runSchema runs a file of schemaFiles: currentSchema, or what a version changed.
func runSchema(tx *db.Tx, name string) error {
	text, err := schemaFiles.ReadFile("schema/" + name + ".sql")
	if err != nil {
		return err
	}
	return tx.Script(string(text))
}

// dataTables are the tables with a store's data, parents before children, without those about
// its place.
var dataTables = []string{
	"sessions", "reservations", "params", "winners", "intents", "attempts", "spending", "spending_days",
	"requests", "recipients", "contracts", "request_sets", "request_parts",
	"signer_clients", "signer_credentials", "signer_spending", "signer_sessions", "signer_payments", "signer_acknowledged", "signer_events", "credits",
}
