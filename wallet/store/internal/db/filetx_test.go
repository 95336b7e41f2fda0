package db

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAFilesTransactionEndsWhole: one whose context ends before the commit, that fails or that panics
// changes nothing, and leaves the file to the next one.
func TestAFilesTransactionEndsWhole(t *testing.T) {
	at, err := Locate(filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	require.NoError(t, at.MakeFile())
	d, err := at.Open()
	require.NoError(t, err)
	defer d.Close()
	write := func(ctx context.Context, then func() error) error {
		return d.Write(ctx, func(tx *Tx) error {
			require.NoError(t, tx.Exec(`INSERT INTO a VALUES (1)`))
			return then()
		})
	}
	require.NoError(t, d.Write(t.Context(), func(tx *Tx) error { return tx.Exec(`CREATE TABLE a (b BIGINT)`) }))
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, write(ctx, func() error {
		cancel()
		return nil
	}), context.Canceled)
	require.ErrorIs(t, write(t.Context(), func() error { return ErrBusy }), ErrBusy)
	require.Panics(t, func() { _ = write(t.Context(), func() error { panic("in a transaction") }) })
	var rows int
	require.NoError(t, d.Read(t.Context(), func(tx *Tx) error { return tx.Row(`SELECT COUNT(*) FROM a`).Scan(&rows) }))
	require.Zero(t, rows)
	require.NoError(t, write(t.Context(), func() error { return nil }))
}
