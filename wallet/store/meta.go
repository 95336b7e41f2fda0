package store

import (
	"fmt"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Names in the meta table.
const (
	metaVersion = "schema_version"
	metaID      = "store_id"
	metaSpent   = "spent_day" // the day whose budget counts as spent, and the code of the cause

	metaHome       = "home"       // where the store is used
	metaGeneration = "generation" // the count of its changes, and who made the last one
	metaRestored   = "restored"   // why it may lack records, until that is acknowledged
	metaMoved      = "moved_to"   // where it was migrated to, and is used now
	metaAwaits     = "awaits"     // whose records are being moved here
)

const (
	selectMeta    = `SELECT value FROM meta WHERE name = $1`
	selectAllMeta = `SELECT name, value FROM meta`
	insertMeta    = `INSERT INTO meta (name, value) VALUES ($1, $2)`
	upsertMeta    = insertMeta + ` ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	updateMeta    = `UPDATE meta SET value = $1 WHERE name = $2`
	deleteMeta    = `DELETE FROM meta WHERE name = $1`
)

// errNoMeta is returned for a store without its version or ID.
var errNoMeta = fmt.Errorf("%w: the meta table is incomplete", ErrDamaged)

func meta(tx *db.Tx, name string) (value string, err error) {
	found, err := tx.Row(selectMeta, name).Find(&value)
	if err == nil && !found {
		err = fmt.Errorf("%w: it has no %s", errNoMeta, name)
	}
	return value, err
}

// readMeta reads all of the table.
func readMeta(into map[string]string) db.Statement {
	return db.Ask(db.Fields(func(fact *[2]string) []any { return []any{&fact[0], &fact[1]} }), func(fact [2]string) error {
		into[fact[0]] = fact[1]
		return nil
	}, selectAllMeta).Then(func(int64) error {
		if into[metaID] == "" {
			return fmt.Errorf("%w: it has no %s", errNoMeta, metaID)
		}
		return nil
	})
}
