package store

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// inspect returns the schema version and the ID of a store; 0 and "" for an empty database. It
// fails for a database of another program and for an unknown version.
func inspect(d *db.DB, tx *db.Tx) (version int, id string, err error) {
	names, err := d.Tables(tx)
	if err != nil || len(names) == 0 {
		return 0, "", err
	}
	if !slices.Contains(names, "meta") {
		return 0, "", hint.With(fmt.Errorf("%w: the database belongs to another program", ErrNotStore),
			"name another place with --store, or restore this one from a backup if it was pmctl's; it is left as it is")
	}
	facts := make(map[string]string)
	if err := tx.Together(readMeta(facts)); err != nil {
		return 0, "", err
	}
	version, err = schemaOf(d, facts[metaVersion])
	return version, facts[metaID], err
}

// schemaOf reads a schema version. It fails with ErrSchema for one that a newer pmctl writes,
// which may have upgraded the store while this one uses it.
func schemaOf(d *db.DB, text string) (version int, err error) {
	version, err = strconv.Atoi(text)
	switch {
	case err != nil, version < 1:
		return 0, fmt.Errorf("%w: it has schema version %.20q", ErrDamaged, text)
	case version > schemaVersion:
		err = fmt.Errorf("the store %s has schema version %d of a newer pmctl, this process reads at most %d", d.Name, version, schemaVersion)
		// An agent passes the hint on to a newer pmctl.
		return 0, hint.With(hint.Kind(ErrSchema, err), "use the newer pmctl, and restart agents and signers that ran before it")
	}
	return version, nil
}

// upgrade creates a store in an empty database, or upgrades an older one, and returns its ID.
func upgrade(d *db.DB, tx *db.Tx) (id string, err error) {
	version, id, err := inspect(d, tx)
	if err != nil {
		return "", err
	}
	if version == 0 {
		id, version = newID(), schemaVersion
		if err := d.Create(tx); err != nil {
			return "", err
		}
		if err := runSchema(tx, currentSchema); err != nil {
			return "", err
		}
	}
	for v := version + 1; v <= schemaVersion; v++ {
		if err := runSchema(tx, fmt.Sprintf("version%d", v)); err != nil {
			return "", err
		}
	}
	if version < spendingVersion {
		if err := bookReserved(tx, time.Now()); err != nil {
			return "", err
		}
	}
	return id, tx.Together(db.Do(upsertMeta, metaVersion, strconv.Itoa(schemaVersion)), db.Do(upsertMeta, metaID, id))
}

func newID() string { return rand.Text() }
