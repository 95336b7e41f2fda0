package db

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A statement is prepared once, also if it runs within itself, and after one that failed.
func TestStatementsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	at, err := Locate(path)
	require.NoError(t, err)
	require.NoError(t, at.MakeFile())
	d := open(t, path)
	const create, insert, read = `CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)`, `INSERT INTO t VALUES ($1)`, `SELECT n FROM t WHERE n > $1 ORDER BY n`
	number := func(row Scanner) (n int, err error) {
		err = row.Scan(&n)
		return n, err
	}
	var seen []int
	require.NoError(t, d.Write(t.Context(), func(tx *Tx) error {
		require.NoError(t, tx.Exec(create))
		for n := range 4 {
			require.NoError(t, tx.Exec(insert, n+1))
		}
		require.Error(t, tx.Exec(insert, 1), "it is there already")
		require.NoError(t, tx.Exec(insert, 5))
		return Each(tx, number, func(n int) error {
			inner, err := List(tx, number, read, n)
			seen = append(seen, inner...)
			return err
		}, read, 2)
	}))
	require.Equal(t, []int{4, 5, 5}, seen)
	conn, err := d.Pool.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.Raw(func(c any) error {
		idle := c.(*preparedConn).idle
		require.Contains(t, idle, insert)
		require.Contains(t, idle, read)
		return nil
	}))
}
