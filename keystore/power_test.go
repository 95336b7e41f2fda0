package keystore

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/durable/forgetful"
)

// TestKeysSurviveAPowerFailure: a key that is lost costs the account, so what was said to
// be written is there after the power failed at that moment.
func TestKeysSurviveAPowerFailure(t *testing.T) {
	root := t.TempDir()
	files := forgetful.Below(root)
	store := &Store{filepath.Join(root, "above", "keys"), files}
	account, err := store.New(t.Context(), say("secret"), Light)
	require.NoError(t, err)
	require.NoError(t, files.LosePower())
	require.Len(t, names(t, store.Path()), 1)
	opens := func(passphrase string) *Signer {
		t.Helper()
		signer, err := store.Unlock(t.Context(), account, say(passphrase))
		require.NoError(t, err)
		t.Cleanup(signer.Close)
		return signer
	}
	signer := opens("secret")

	require.NoError(t, store.ChangePassphrase(t.Context(), account, say("secret"), say("next"), Light))
	require.NoError(t, files.LosePower())
	opens("next")

	exported, raw := filepath.Join(root, "exported"), filepath.Join(root, "raw")
	require.NoError(t, signer.writeKeyFile(t.Context(), files, exported, say("other"), Light))
	require.NoError(t, signer.writeRawKey(files, raw))
	require.NoError(t, files.LosePower())
	text, err := os.ReadFile(exported)
	require.NoError(t, err)
	other, err := UnlockJSON(t.Context(), text, say("other"))
	require.NoError(t, err)
	other.Close()
	require.Len(t, read(t, raw), 65)
}
