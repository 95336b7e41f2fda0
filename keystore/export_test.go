package keystore

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExportedFiles(t *testing.T) {
	signer := rawSigner(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "export.json")
	require.NoError(t, signer.WriteKeyFile(t.Context(), path, say("new"), Light))
	account, err := Open(path).Default()
	require.NoError(t, err)
	require.Equal(t, signer.Address(), mustUnlock(t, Open(path), account, "new").Address())

	raw := filepath.Join(dir, "raw")
	require.NoError(t, signer.WriteRawKey(raw))
	require.Equal(t, rawKey+"\n", read(t, raw))

	// An existing file stays, and there is no prompt for a passphrase.
	for _, existing := range []string{path, raw, dir} {
		require.ErrorIs(t, signer.WriteKeyFile(t.Context(), existing, mute(t), Light), os.ErrExist)
		require.ErrorIs(t, signer.WriteRawKey(existing), os.ErrExist)
	}
	require.ErrorIs(t, signer.WriteKeyFile(t.Context(), filepath.Join(dir, "empty"), say(""), Light), ErrEmptyPassphrase)
	require.ErrorIs(t, signer.WriteRawKey(filepath.Join(dir, "nowhere", "raw")), os.ErrNotExist)
	require.ElementsMatch(t, []string{"export.json", "raw"}, names(t, dir))
}
