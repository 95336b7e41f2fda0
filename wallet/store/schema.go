package store

import (
	"embed"
	"fmt"
	"strings"
)

// schemaFiles are the store's tables, by the schema version that brought them. A store is
// made, and an older one brought up to date, by running what it does not have yet;
// so what a version has brought never changes. It is plain enough for SQLite and PostgreSQL.
//
// Hashes, addresses and signatures are hex with 0x, addresses checksummed; integers
// that may exceed 63 bits are decimal text; times are milliseconds since 1970 in UTC.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

const (
	// schemaVersion is what this package reads and writes, spendingVersion brought the
	// spending, and writersVersion what tells an older copy.
	schemaVersion   = 10
	spendingVersion = 4
	writersVersion  = 9
)

// statements returns what a version has brought. Each ends with its line.
func statements(version int) ([]string, error) {
	text, err := schemaFiles.ReadFile(fmt.Sprintf("schema/version%d.sql", version))
	return strings.Split(strings.TrimSuffix(string(text), ";\n"), ";\n"), err
}

// dataTables are the tables about what was done with a store, in an order in which rows find
// what they refer to: all but those about where the store is and was.
var dataTables = []string{
	"sessions", "reservations", "params", "winners", "intents", "attempts", "spending", "spending_days",
	"requests", "recipients", "contracts", "request_sets", "request_parts",
}
