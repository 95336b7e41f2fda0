package store

import (
	"embed"
	"fmt"
	"strings"
)

// schemaFiles are the store's tables, by the schema version that added them. A store is created
// or upgraded by running the versions that it lacks, so a version never changes. Its SQL runs
// on SQLite and PostgreSQL.
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
	schemaVersion   = 16
	spendingVersion = 4
	writersVersion  = 9
	signerVersion   = 11
)

// statements returns a version's statements, each of which ends with its line.
func statements(version int) ([]string, error) {
	text, err := schemaFiles.ReadFile(fmt.Sprintf("schema/version%d.sql", version))
	return strings.Split(strings.TrimSuffix(string(text), ";\n"), ";\n"), err
}

// dataTables are the tables with a store's data, parents before children, without those about
// its place.
var dataTables = []string{
	"sessions", "reservations", "params", "winners", "intents", "attempts", "spending", "spending_days",
	"requests", "recipients", "contracts", "request_sets", "request_parts",
	"signer_clients", "signer_credentials", "signer_spending", "signer_sessions", "signer_payments", "signer_acknowledged", "signer_events", "credits",
}
