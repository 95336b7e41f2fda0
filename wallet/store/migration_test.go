package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// storeOf creates a store of an older schema version, from the statements that its pmctl ran.
func storeOf(t *testing.T, location, version string) string {
	t.Helper()
	statements, err := os.ReadFile(filepath.Join("testdata", version+".sql"))
	require.NoError(t, err)
	behind(t, location, func(s *Store) {
		require.NoError(t, s.db.Prepare(t.Context()))
		require.NoError(t, s.db.Write(t.Context(), func(tx *db.Tx) error {
			if err := s.db.Create(tx); err != nil {
				return err
			}
			return tx.Script(string(statements))
		}))
	})
	return location
}

// behind uses a store's database without checking its version.
func behind(t *testing.T, location string, do func(*Store)) {
	t.Helper()
	s, err := connect(location, nil)
	require.NoError(t, err)
	defer s.db.Close()
	do(s)
}

func TestVersion1IsBroughtUpToDate(t *testing.T) { onEach(t, version1IsBroughtUpToDate) }

func version1IsBroughtUpToDate(t *testing.T, place place) {
	path := storeOf(t, place(t), "version1")
	s := open(t, path)
	require.Equal(t, "KEPT", s.ID(), "params carry it")

	c, me := s.Chain(testChain), common.Address{1}
	nonces, err := c.ReserveNonces(t.Context(), me, params(1), 3, 600)
	require.NoError(t, err)
	require.Equal(t, pm.NonceRange{First: 8, Count: 3}, nonces, "7 nonces were taken")
	require.Len(t, ledger(t, s), 2)
	document, err := c.Params(t.Context(), me, "https://recipient:8935")
	require.NoError(t, err)
	require.Equal(t, `{"kind":"pmctl.params"}`, string(document))
	require.NoError(t, c.Winners(isActive).StoreWinningTicket(winning(ann, 1, 1)))
	require.NoError(t, s.Close())

	again := open(t, path)
	require.Equal(t, "KEPT", again.ID())
	all, err := again.Chain(testChain).Winners(isActive).All(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
}

// An upgraded store has the tables of a new one: columns, constraints and indexes. PostgreSQL's
// names of a constraint's index keep those of a table that was renamed.
func TestOldAndNewStoresAreTheSame(t *testing.T) {
	for name, layout := range map[string][]string{
		"SQLite": {
			`SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || COALESCE(c.dflt_value, '') || ' ' || c.pk
				FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid`,
			`SELECT t.name || ' ' || i."unique" || i.origin || i.partial || ' ' || (SELECT group_concat(name) FROM pragma_index_info(i.name))
				FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table' ORDER BY 1`,
			`SELECT t.name || '.' || f."from" || ' ' || f."table" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' ORDER BY 1`,
			`SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1`,
			`SELECT name || ' ' || substr(sql, instr(sql, 'CHECK'), instr(substr(sql, instr(sql, 'CHECK')), ')')) FROM sqlite_schema WHERE instr(sql, 'CHECK') ORDER BY 1`,
		},
		"PostgreSQL": {
			`SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '')
				FROM information_schema.columns WHERE table_schema = 'pmctl' ORDER BY table_name, ordinal_position`,
			`SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'pmctl'::regnamespace ORDER BY 1`,
			`SELECT tablename || ' ' || regexp_replace(indexdef, '\S+key\d* ON', 'ON') FROM pg_indexes WHERE schemaname = 'pmctl' ORDER BY 1`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			place := places[name]
			of := func(location string) (found []string) {
				for _, query := range layout {
					rows, err := open(t, location).db.Pool.Query(query)
					require.NoError(t, err)
					defer rows.Close()
					before := len(found)
					for rows.Next() {
						var text string
						require.NoError(t, rows.Scan(&text))
						found = append(found, text)
					}
					require.NoError(t, rows.Err())
					require.Greater(t, len(found), before, query)
				}
				return found
			}
			fresh := of(place(t))
			require.Equal(t, fresh, of(storeOf(t, place(t), "version1")))
		})
	}
}

// A table has either data, which is migrated with a store, or facts about its place.
func TestEveryTableIsCarriedOrOfThePlace(t *testing.T) { onEach(t, everyTableIsCarriedOrOfThePlace) }

func everyTableIsCarriedOrOfThePlace(t *testing.T, place place) {
	s := open(t, place(t))
	require.NoError(t, s.db.Read(t.Context(), func(tx *db.Tx) error {
		names, err := s.db.Tables(tx)
		require.ElementsMatch(t, slices.Concat(dataTables, []string{"meta", "former_ids", "writers", "signer_replicas"}), names)
		return err
	}))
}

// An upgrade happens completely or not at all.
func TestAnUpgradeThatFailsChangesNothing(t *testing.T) { onEach(t, anUpgradeThatFailsChangesNothing) }

func anUpgradeThatFailsChangesNothing(t *testing.T, place place) {
	path := storeOf(t, place(t), "version1")
	behind(t, path, func(s *Store) {
		change(t, s, `CREATE TABLE other (a INTEGER)`)
		change(t, s, `CREATE INDEX winners_waiting ON other (a)`)
	})
	_, err := Open(t.Context(), path)
	require.Error(t, err, "the name of an index is taken")
	behind(t, path, func(s *Store) {
		require.NoError(t, s.db.Read(t.Context(), func(tx *db.Tx) error {
			version, id, err := inspect(s.db, tx)
			require.NoError(t, err)
			require.Equal(t, 1, version)
			require.Equal(t, "KEPT", id)
			names, err := s.db.Tables(tx)
			require.NoError(t, err)
			require.NotContains(t, names, "winners")
			return nil
		}))
	})
}

// Of many processes that open an old store at once, one upgrades it.
func TestManyUpgradeAtOnce(t *testing.T) { onEach(t, manyUpgradeAtOnce) }

func manyUpgradeAtOnce(t *testing.T, place place) {
	path := storeOf(t, place(t), "version1")
	failed := make(chan error, 8)
	for range cap(failed) {
		go func() {
			s, err := Open(context.Background(), path)
			if err == nil {
				err = s.Close()
			}
			failed <- err
		}()
	}
	for range cap(failed) {
		require.NoError(t, <-failed)
	}
	require.Equal(t, "KEPT", open(t, path).ID())
}

// TestPaymentsOfVersion15AreKept: the tables of sessions and payments are made anew under other
// indexes, with all that was in them.
func TestPaymentsOfVersion15AreKept(t *testing.T) { onEach(t, paymentsOfVersion15AreKept) }

func paymentsOfVersion15AreKept(t *testing.T, place place) {
	path := place(t)
	behind(t, path, func(s *Store) {
		require.NoError(t, s.db.Prepare(t.Context()))
		require.NoError(t, s.db.Write(t.Context(), func(tx *db.Tx) error {
			if err := s.db.Create(tx); err != nil {
				return err
			}
			for v := 1; v <= 15; v++ {
				if err := runSchema(tx, fmt.Sprintf("version%d", v)); err != nil {
					return err
				}
			}
			for _, row := range []string{
				`INSERT INTO meta VALUES ('schema_version', '15'), ('store_id', 'KEPT')`,
				`INSERT INTO signer_sessions VALUES ('1337', '0x01', 'state', 'client', 2, 1, 10, 20)`,
				`INSERT INTO signer_payments VALUES (5, '1337', '0x01', 'client', 'state', 2, 1, 'key', 'info', '0x02', 7, 3, 8, '0x03', 'm', 'ff', '{}', 'event', 20)`,
			} {
				if err := tx.Exec(row); err != nil {
					return err
				}
			}
			return nil
		}))
	})
	s := open(t, path)
	require.Equal(t, "KEPT", s.ID())
	for query, want := range map[string]string{
		`SELECT chain_id || sender || state_id || client || sequence || asked || opened_at || updated_at FROM signer_sessions`: "13370x01stateclient211020",
		`SELECT position || chain_id || sender || client || state_id || sequence || asked || request_key || info || recipient_rand_hash || first_nonce || nonces
			|| creation_round || creation_round_block_hash || manifest_id || capabilities || state || usage || made_at FROM signer_payments`: "513370x01clientstate21keyinfo0x027380x03mff{}event20",
	} {
		found, err := read(t.Context(), s, "read", func(tx *db.Tx) ([]string, error) { return db.List(tx, db.One[string], query) })
		require.NoError(t, err)
		require.Equal(t, []string{want}, found)
	}
}
