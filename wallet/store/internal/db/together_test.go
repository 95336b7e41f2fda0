package db

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Statements that are left for later run before the next one and before the commit, in order; an
// error of one, or of what looks at its rows, fails the transaction.
func TestStatementsTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	at, err := Locate(path)
	require.NoError(t, err)
	require.NoError(t, at.MakeFile())
	for name, location := range map[string]string{"file": path, "server": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			d := open(t, location)
			require.NoError(t, d.Write(t.Context(), func(tx *Tx) error {
				require.NoError(t, d.Create(tx))
				return tx.Exec(`CREATE TABLE t (n BIGINT PRIMARY KEY, text TEXT)`)
			}))
			count := func() (n int64) {
				require.NoError(t, d.Read(t.Context(), func(tx *Tx) error { return tx.Row(`SELECT COUNT(*) FROM t`).Scan(&n) }))
				return n
			}
			const insert, numbers = `INSERT INTO t (n) VALUES ($1)`, `SELECT n FROM t ORDER BY n`
			wrong := errors.New("wrong")
			for reason, statements := range map[string][]Statement{
				"a statement": {Do(insert, 1), Do(insert, 1), Do(insert, 2)},
				"its changes": {Do(insert, 1), Do(`UPDATE t SET text = 'x' WHERE n = 7`).Then(func(rows int64) error {
					require.Zero(t, rows)
					return wrong
				})},
				"its rows": {Do(insert, 1), Ask(One[int64], func(int64) error { return wrong }, numbers)},
				"a scan":   {Do(insert, 1), Ask(One[int64], func(int64) error { return nil }, `SELECT text FROM t`)},
			} {
				for _, next := range []bool{true, false} {
					err := d.Write(t.Context(), func(tx *Tx) error {
						tx.Later(statements...)
						if !next {
							return nil
						}
						_, err := tx.Change(insert, 9)
						return err
					})
					require.Error(t, err, reason)
					require.Zero(t, count(), reason)
				}
			}
			var seen []int64
			require.NoError(t, d.Write(t.Context(), func(tx *Tx) error {
				rows := tx.Into(`INSERT INTO t (n, text) VALUES `, [][]any{{3, "c"}, {1, "a"}, {2, "b"}}, "")
				tx.Later(rows...)
				found, err := List(tx, One[string], `SELECT text FROM t ORDER BY n`)
				require.NoError(t, err)
				require.Equal(t, []string{"a", "b", "c"}, found)
				tx.Later(Do(insert, 4))
				tx.Later(AskIn(tx, One[int64], func(n int64) error {
					seen = append(seen, n)
					return nil
				}, `SELECT n FROM t WHERE n > $1 AND text`, []any{1}, []string{"a", "b", `"`, "c"}).Then(func(rows int64) error {
					require.EqualValues(t, 2, rows)
					return nil
				}))
				return nil
			}))
			require.ElementsMatch(t, []int64{2, 3}, seen)
			require.EqualValues(t, 4, count(), "what was left for the commit is committed")
		})
	}
}
