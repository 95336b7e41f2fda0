package store

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// inspect returns the schema version and the id of a store; 0 and "" for an empty
// database. It fails for one of another program or of a version that is not known.
func inspect(d *db.DB, tx *db.Tx) (version int, id string, err error) {
	names, err := d.Tables(tx)
	if err != nil || len(names) == 0 {
		return 0, "", err
	}
	if !slices.Contains(names, "meta") {
		return 0, "", fmt.Errorf("%w: it is a database of another program", ErrNotStore)
	}
	text, err := meta(tx, metaVersion)
	if err != nil {
		return 0, "", err
	}
	version, err = strconv.Atoi(text)
	if err != nil || version < 1 {
		return 0, "", fmt.Errorf("%w: it has schema version %.20q", ErrDamaged, text)
	}
	if version > schemaVersion {
		return 0, "", &SchemaError{Path: d.Name, Found: version, Known: schemaVersion}
	}
	id, err = meta(tx, metaID)
	return version, id, err
}

// upgrade makes a store of an empty database, or brings an older one up to date,
// and returns its id.
func upgrade(d *db.DB, tx *db.Tx) (id string, err error) {
	version, id, err := inspect(d, tx)
	if err != nil {
		return "", err
	}
	if version == 0 {
		id = newID()
		if err := d.Create(tx); err != nil {
			return "", err
		}
	}
	for v := version + 1; v <= schemaVersion; v++ {
		brought, err := statements(v)
		if err != nil {
			return "", err
		}
		for _, statement := range brought {
			if err := tx.Exec(statement); err != nil {
				return "", err
			}
		}
	}
	if 0 < version && version < spendingVersion {
		if err := bookReserved(tx, time.Now()); err != nil {
			return "", err
		}
	}
	for name, value := range map[string]string{metaVersion: strconv.Itoa(schemaVersion), metaID: id} {
		if err := tx.Exec(upsertMeta, name, value); err != nil {
			return "", err
		}
	}
	return id, nil
}

func newID() string { return rand.Text() }
