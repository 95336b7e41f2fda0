package keystore

import (
	"context"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
)

// say is a source that gives text.
func say(text string) PassphraseSource {
	return func(context.Context, string) ([]byte, error) { return []byte(text), nil }
}

// mute is a source that must not be asked.
func mute(t *testing.T) PassphraseSource {
	return func(_ context.Context, question string) ([]byte, error) {
		t.Errorf("asked for %q", question)
		return nil, fs.ErrInvalid
	}
}

// newAccount makes an account in a new folder.
func newAccount(t *testing.T, passphrase string) (*Store, accounts.Account) {
	t.Helper()
	store := Open(filepath.Join(t.TempDir(), "keys"))
	account, err := store.New(t.Context(), say(passphrase), Light)
	require.NoError(t, err)
	return store, account
}

// addFile writes a file to the store's folder.
func addFile(t *testing.T, store *Store, name, content string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(store.path, 0o700))
	path := filepath.Join(store.path, name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(data)
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

// names lists a folder, hidden files included.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var list []string
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

// mustUnlock opens an account and closes it when the test ends.
func mustUnlock(t *testing.T, store *Store, account accounts.Account, passphrase string) *Signer {
	t.Helper()
	signer, err := store.Unlock(t.Context(), account, say(passphrase))
	require.NoError(t, err)
	t.Cleanup(signer.Close)
	return signer
}

func lowerHex(address common.Address) string { return hex.EncodeToString(address[:]) }

// lightKey is testdata's key file that costs little to open.
const (
	lightFile       = "geth-scrypt-light.json"
	lightPassphrase = "correct horse 1"
)

var lightAddress = common.HexToAddress("0x6DD756665c68d796A3e08Dd91CAf01d71a5A277F")

// altered is a key file of testdata with one part of its text replaced.
func altered(t *testing.T, old, new string) string {
	t.Helper()
	text := testdata(t, lightFile)
	require.Equal(t, 1, strings.Count(text, old), old)
	return strings.Replace(text, old, new, 1)
}

// keccakMAC is the checksum of an encrypted key, as version 3 has it.
func keccakMAC(key, cipherText []byte) []byte { return crypto.Keccak256(key, cipherText) }
