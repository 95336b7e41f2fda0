package store_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/fulldisk"
	"github.com/pmctl/pmctl/wallet/store"
)

// TestOpeningOnAFullDisk names the disk, where SQLite speaks of an error of input and output.
func TestOpeningOnAFullDisk(t *testing.T) {
	dir := fulldisk.Mount(t, "1m")
	location := filepath.Join(dir, "store.db")
	s, err := store.Open(t.Context(), location)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	fulldisk.Fill(t, dir)
	_, err = store.Open(t.Context(), location)
	require.ErrorIs(t, err, store.ErrAccess)
	require.ErrorContains(t, err, "disk is full")
}
