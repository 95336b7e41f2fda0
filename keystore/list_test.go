package keystore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

func TestListPassesOverWhatIsNoKeyFile(t *testing.T) {
	store := Open(t.TempDir())
	good := addFile(t, store, "UTC--good", testdata(t, lightFile))
	addFile(t, store, ".hidden", testdata(t, lightFile))
	addFile(t, store, ".UTC--x.123.tmp", "half of a ke")
	addFile(t, store, "UTC--good~", testdata(t, lightFile))
	require.NoError(t, os.Mkdir(filepath.Join(store.Path(), "folder"), 0o700))
	addFile(t, Open(filepath.Join(store.Path(), "folder")), "inner", testdata(t, "standard-pbkdf2.json"))

	list, err := store.List()
	require.NoError(t, err)
	require.Empty(t, list.Problems)
	require.Len(t, list.Accounts, 1)
	require.Equal(t, good, list.Accounts[0].URL.Path)
}

func TestListReportsUnusableFilesBesideTheAccounts(t *testing.T) {
	named := "UTC--2026-01-01T00-00-00.000000000Z--" + lowerHex(lightAddress)
	for _, c := range []struct {
		name, file, content string
		want                error
		says                string
		address             common.Address
	}{
		{"truncated", "a", testdata(t, lightFile)[:200], ErrDamaged, "cut off after 200 bytes", common.Address{}},
		{"truncated, named", named, testdata(t, lightFile)[:200], ErrDamaged, "cut off", lightAddress},
		{"empty", named, "", ErrDamaged, "empty", lightAddress},
		{"text", "README", "These are my keys.", ErrDamaged, "not JSON", common.Address{}},
		{"number", "a", "7", ErrDamaged, "not a key file", common.Address{}},
		{"null", "a", "null", ErrDamaged, "not a key file", common.Address{}},
		{"other JSON", "a", `{"name":"x"}`, ErrDamaged, "not a key file", common.Address{}},
		{"two documents", "a", testdata(t, lightFile) + "{}", ErrDamaged, "not JSON", common.Address{}},
		{"zero address", "a", altered(t, lowerHex(lightAddress), strings.Repeat("0", 40)), ErrDamaged, "zero", common.Address{}},
		{"short address", "a", altered(t, lowerHex(lightAddress), "6dd7"), ErrDamaged, `"6dd7"`, common.Address{}},
		{"address of a wrong kind", "a", altered(t, `"`+lowerHex(lightAddress)+`"`, "7"), ErrDamaged, `field "address"`, common.Address{}},
		{"version 1", "a", altered(t, `"version":3`, `"version":"1"`), ErrUnsupported, "version 1", common.Address{}},
		{"no version", "a", altered(t, `,"version":3`, ``), ErrDamaged, "no version", lightAddress},
		{"huge", "a", strings.Repeat(" ", maxFileSize) + "{}", ErrDamaged, "it has more than", common.Address{}},
		{"greedy", "a", altered(t, `"n":4096`, `"n":1073741824`), ErrTooCostly, "N=1073741824", lightAddress},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := Open(t.TempDir())
			path := addFile(t, store, c.file, c.content)
			addFile(t, store, "good", testdata(t, "standard-pbkdf2.json"))
			list, err := store.List()
			require.NoError(t, err)
			require.Len(t, list.Accounts, 1)
			require.Len(t, list.Problems, 1)
			problem := list.Problems[0]
			require.ErrorIs(t, problem, c.want)
			require.ErrorContains(t, problem, c.says)
			require.Equal(t, path, problem.Path)
			require.Equal(t, c.address, problem.Address)

			_, err = store.Find(lightAddress)
			if c.address == lightAddress {
				require.Equal(t, problem, err, "the account's own file is to blame")
			} else {
				require.ErrorIs(t, err, ErrNoSuchAccount)
				require.ErrorContains(t, err, path)
			}

			// The file alone, and a folder with nothing else.
			_, err = Open(path).Default()
			require.Equal(t, problem, err)
			require.NoError(t, os.Remove(filepath.Join(store.Path(), "good")))
			_, err = store.Default()
			require.ErrorIs(t, err, ErrNoAccounts)
			require.ErrorContains(t, err, path)
		})
	}
}

func TestLinks(t *testing.T) {
	elsewhere := Open(t.TempDir())
	target := addFile(t, elsewhere, "target", testdata(t, lightFile))
	store := Open(t.TempDir())
	link := func(target, name string) string {
		path := filepath.Join(store.Path(), name)
		require.NoError(t, os.Symlink(target, path))
		return path
	}
	first := link(target, "link")
	link(target, "link again")
	link(elsewhere.Path(), "link to a folder")
	link(os.DevNull, "link to a device")
	dangling := link("nowhere", "link to nothing")

	list, err := store.List()
	require.NoError(t, err)
	require.Len(t, list.Accounts, 1, "one file under two names is one account")
	require.Equal(t, first, list.Accounts[0].URL.Path)
	require.Len(t, list.Problems, 1)
	require.Equal(t, dangling, list.Problems[0].Path)
	require.ErrorIs(t, list.Problems[0], os.ErrNotExist)

	// What the link points to is what the old passphrase must no longer open.
	account, err := store.Default()
	require.NoError(t, err)
	require.NoError(t, store.ChangePassphrase(t.Context(), account, say(lightPassphrase), say("next"), Light))
	mustUnlock(t, elsewhere, list.Accounts[0], "next")
	found, err := elsewhere.Default()
	require.NoError(t, err)
	mustUnlock(t, elsewhere, found, "next")
	info, err := os.Lstat(first)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink, "the link is still one")
}

func TestAFolderBehindALink(t *testing.T) {
	real := t.TempDir()
	link := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.Symlink(real, link))
	account, err := Open(link).New(t.Context(), say("secret"), Light)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Base(account.URL.Path)}, names(t, real))
}
