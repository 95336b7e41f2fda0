package keystore

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	geth "github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/stretchr/testify/require"
)

// TestGethReadsOurFolderAndWeItsOwn shares a folder with go-ethereum's keystore,
// which go-livepeer's node uses as it is.
func TestGethReadsOurFolderAndWeItsOwn(t *testing.T) {
	store, ours := newAccount(t, "secret")
	theirs := geth.NewKeyStore(store.Path(), geth.LightScryptN, geth.LightScryptP)
	require.Equal(t, ours, theirs.Accounts()[0])
	require.NoError(t, theirs.Unlock(ours, "secret"))
	require.NoError(t, store.ChangePassphrase(t.Context(), ours, say("secret"), say("next"), Light))
	require.Error(t, theirs.Unlock(ours, "secret"))
	require.NoError(t, theirs.Unlock(ours, "next"))

	theirOwn, err := theirs.NewAccount("their secret")
	require.NoError(t, err)
	found, err := store.Find(theirOwn.Address)
	require.NoError(t, err)
	require.Equal(t, theirOwn, found)
	mustUnlock(t, store, found, "their secret")

	// go-livepeer takes an empty passphrase: such an account opens, though none is made.
	bare, err := theirs.NewAccount("")
	require.NoError(t, err)
	mustUnlock(t, store, bare, "")
}

// TestEthkey goes back and forth with go-ethereum's command for key files.
func TestEthkey(t *testing.T) {
	if testing.Short() {
		t.Skip("builds go-ethereum's ethkey")
	}
	out, err := exec.Command("go", "tool", "-modfile=../.tools/go.mod", "-n", "ethkey").Output()
	require.NoError(t, err)
	tool := strings.TrimSpace(string(out))
	dir := t.TempDir()
	passphraseFile := filepath.Join(dir, "passphrase")
	require.NoError(t, os.WriteFile(passphraseFile, []byte("our secret\n"), 0o600))
	passphrase := PassphraseFile(passphraseFile)
	ethkey := func(verb string, args ...string) map[string]any {
		out, err := exec.Command(tool, append([]string{verb, "--json", "--passwordfile", passphraseFile}, args...)...).Output()
		require.NoError(t, err, "%s", out)
		var result map[string]any
		require.NoError(t, json.Unmarshal(out, &result))
		return result
	}

	store := Open(filepath.Join(dir, "keys"))
	ours, err := store.New(t.Context(), passphrase, Light)
	require.NoError(t, err)
	signer, err := store.Unlock(t.Context(), ours, passphrase)
	require.NoError(t, err)
	defer signer.Close()
	key, err := signer.RawKey()
	require.NoError(t, err)
	inspected := ethkey("inspect", "--private", ours.URL.Path)
	require.Equal(t, ours.Address.Hex(), inspected["Address"])
	require.Equal(t, string(key), inspected["PrivateKey"])

	// Both sign the same bytes, but for V, which ethkey counts from 0.
	signature, err := signer.Sign([]byte("a message"))
	require.NoError(t, err)
	signature[64] -= 27
	require.Equal(t, hex.EncodeToString(signature), ethkey("signmessage", ours.URL.Path, "a message")["Signature"])

	theirPath := filepath.Join(store.Path(), "made by ethkey.json")
	made := ethkey("generate", "--lightkdf", theirPath)
	theirs, err := Open(theirPath).Default()
	require.NoError(t, err)
	require.Equal(t, made["Address"], theirs.Address.Hex())
	require.NoError(t, store.ChangePassphrase(t.Context(), theirs, passphrase, say("next"), Light))
	require.NoError(t, store.ChangePassphrase(t.Context(), theirs, say("next"), passphrase, Light))
	require.Equal(t, made["Address"], ethkey("inspect", theirPath)["Address"])
}
