package keystore

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
)

func TestNewAccountIsFoundAndOpens(t *testing.T) {
	store, account := newAccount(t, "secret")

	require.Regexp(t, regexp.MustCompile(`^UTC--\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{9}Z--`+lowerHex(account.Address)+"$"), filepath.Base(account.URL.Path))
	require.Len(t, names(t, store.Path()), 1, "nothing but the key file is left")

	found, err := store.Default()
	require.NoError(t, err)
	require.Equal(t, account, found)
	found, err = store.Find(account.Address)
	require.NoError(t, err)
	require.Equal(t, account, found)

	signer := mustUnlock(t, store, account, "secret")
	require.Equal(t, account, signer.Account())
}

// standardStrength is why a test is left out of a short run.
const standardStrength = "derives keys of standard strength, which is slow under the race detector"

func TestStandardStrengthIsTheDefaultOfTheEcosystem(t *testing.T) {
	if testing.Short() {
		t.Skip(standardStrength)
	}
	store := Open(t.TempDir())
	account, err := store.New(t.Context(), say("secret"), Standard)
	require.NoError(t, err)
	var file struct {
		Crypto struct{ KDFParams struct{ N, R, P int } }
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, account.URL.Path)), &file))
	require.Equal(t, struct{ N, R, P int }{1 << 18, 8, 1}, file.Crypto.KDFParams)
}

func TestKeyFilesOfOthersOpen(t *testing.T) {
	vector := common.HexToAddress("0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b")
	for _, c := range []struct {
		file, passphrase string
		address          common.Address
	}{
		{"geth-scrypt-standard.json", "correct horse 0", common.HexToAddress("0xFc7C9e9CAdA6292069a092236aa43D09666ba3E5")},
		{lightFile, lightPassphrase, lightAddress},
		{"standard-pbkdf2.json", "testpassword", vector},
	} {
		if testing.Short() && strings.Contains(c.file, "standard") {
			continue // standardStrength
		}
		store := Open(filepath.Join("testdata", c.file))
		account, err := store.Default()
		require.NoError(t, err, c.file)
		require.Equal(t, c.address, account.Address)
		require.Equal(t, c.address, mustUnlock(t, store, account, c.passphrase).Address())
	}
	signer, err := UnlockJSON(t.Context(), []byte(testdata(t, "standard-scrypt.json")), say("testpassword"))
	require.NoError(t, err, "a key file need not tell its address to be imported")
	defer signer.Close()
	require.Equal(t, vector, signer.Address())
	key, err := signer.RawKey()
	require.NoError(t, err)
	require.Equal(t, "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d", string(key))
}

func TestChoosingAnAccount(t *testing.T) {
	store := Open(filepath.Join(t.TempDir(), "none", "yet"))
	list, err := store.List()
	require.NoError(t, err, "a folder that is not there holds nothing")
	require.Empty(t, list)
	_, err = store.Default()
	require.ErrorIs(t, err, ErrNoAccounts)
	require.ErrorContains(t, err, store.Path())
	_, err = store.Find(lightAddress)
	require.ErrorIs(t, err, ErrNoAccounts)
	require.NoDirExists(t, filepath.Dir(store.Path()), "looking makes no folder")

	first, err := store.New(t.Context(), say("a"), Light)
	require.NoError(t, err)
	_, err = store.Find(lightAddress)
	require.ErrorIs(t, err, ErrNoSuchAccount)
	require.ErrorContains(t, err, lightAddress.Hex())

	second, err := store.New(t.Context(), say("b"), Light)
	require.NoError(t, err)
	_, err = store.Default()
	var several *SeveralAccountsError
	require.ErrorAs(t, err, &several)
	require.Equal(t, []accounts.Account{first, second}, several.Accounts, "in the order of creation")
	require.ErrorContains(t, err, first.Address.Hex()+", "+second.Address.Hex())
	found, err := store.Find(second.Address)
	require.NoError(t, err)
	require.Equal(t, second, found)
}

func TestTwoFilesOfOneAccountAreAmbiguous(t *testing.T) {
	store := Open(t.TempDir())
	a := addFile(t, store, "a.json", testdata(t, lightFile))
	b := addFile(t, store, "b.json", testdata(t, lightFile))
	for _, choose := range []func() (accounts.Account, error){
		store.Default,
		func() (accounts.Account, error) { return store.Find(lightAddress) },
	} {
		_, err := choose()
		require.ErrorIs(t, err, ErrAmbiguous)
		require.EqualError(t, err, "account "+lightAddress.Hex()+" is in 2 files, keep one: "+a+", "+b)
	}
}

func TestImport(t *testing.T) {
	store := Open(filepath.Join(t.TempDir(), "keys"))
	signer, err := UnlockJSON(t.Context(), []byte(testdata(t, lightFile)), say(lightPassphrase))
	require.NoError(t, err)
	account, err := store.Import(t.Context(), signer, say("new"), Light)
	require.NoError(t, err)
	require.Equal(t, lightAddress, account.Address)
	require.Equal(t, lightAddress, mustUnlock(t, store, account, "new").Address())

	before := names(t, store.Path())
	_, err = store.Import(t.Context(), signer, mute(t), Light)
	require.ErrorIs(t, err, ErrAccountExists)
	require.ErrorContains(t, err, account.URL.Path)
	require.Equal(t, before, names(t, store.Path()))

	_, err = Open(account.URL.Path).New(t.Context(), mute(t), Light)
	require.ErrorIs(t, err, ErrNotFolder)

	signer.Close()
	_, err = Open(t.TempDir()).Import(t.Context(), signer, say("new"), Light)
	require.ErrorIs(t, err, ErrClosed)
}

func TestBadNewPassphrasesWriteNothing(t *testing.T) {
	store := Open(filepath.Join(t.TempDir(), "keys"))
	cancelled := errors.New("cancelled")
	for _, c := range []struct {
		source PassphraseSource
		want   error
	}{
		{say(""), ErrEmptyPassphrase},
		{say("two\nlines"), ErrBadPassphrase},
		{say("dos\r"), ErrBadPassphrase},
		{say("nul\x00"), ErrBadPassphrase},
		{say(string(make([]byte, MaxPassphrase+1))), ErrBadPassphrase},
		{func(context.Context, string) ([]byte, error) { return nil, cancelled }, cancelled},
	} {
		_, err := store.New(t.Context(), c.source, Light)
		require.ErrorIs(t, err, c.want)
		require.NoDirExists(t, store.Path())
	}
}

func TestChangePassphrase(t *testing.T) {
	store := Open(t.TempDir())
	path := addFile(t, store, "key.json", testdata(t, lightFile))
	account, err := store.Default()
	require.NoError(t, err)
	require.NoError(t, store.ChangePassphrase(t.Context(), account, say(lightPassphrase), say("next"), Light))

	mustUnlock(t, store, account, "next")
	_, err = store.Unlock(t.Context(), account, say(lightPassphrase))
	require.ErrorIs(t, err, ErrWrongPassphrase)
	require.Equal(t, []string{"key.json"}, names(t, store.Path()))
	require.Contains(t, read(t, path), `"id":"f3e60240-f4db-4d91-bc19-2d8ec84ea194"`, "the file keeps its identity")
}

func TestChangePassphraseRefusalsKeepTheFile(t *testing.T) {
	extra := altered(t, `"version":3`, `"version":3,"x-wallet":{"mnemonic":"…"}`)
	for _, c := range []struct {
		name, content string
		current, next PassphraseSource
		want          error
	}{
		{"wrong passphrase", testdata(t, lightFile), say("wrong"), mute(t), ErrWrongPassphrase},
		{"empty new passphrase", testdata(t, lightFile), say(lightPassphrase), say(""), ErrEmptyPassphrase},
		{"new passphrase of two lines", testdata(t, lightFile), say(lightPassphrase), say("a\nb"), ErrBadPassphrase},
		{"no new passphrase", testdata(t, lightFile), say(lightPassphrase), PassphraseFile("/nowhere"), os.ErrNotExist},
		{"more in the file than an account", extra, mute(t), mute(t), ErrUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := Open(t.TempDir())
			path := addFile(t, store, "key.json", c.content)
			account, err := store.Default()
			require.NoError(t, err)
			require.ErrorIs(t, store.ChangePassphrase(t.Context(), account, c.current, c.next, Light), c.want)
			require.Equal(t, c.content, read(t, path))
			require.Equal(t, []string{"key.json"}, names(t, store.Path()))
		})
	}
}

func TestAnotherAccountsKeyIsRefused(t *testing.T) {
	other := lowerHex(crypto.CreateAddress(lightAddress, 0))
	store := Open(t.TempDir())
	path := addFile(t, store, "key.json", altered(t, lowerHex(lightAddress), other))
	account, err := store.Default()
	require.NoError(t, err)
	_, err = store.Unlock(t.Context(), account, say(lightPassphrase))
	require.ErrorIs(t, err, ErrAddressMismatch)
	require.ErrorContains(t, err, lightAddress.Hex())

	// The file was swapped between choosing it and opening it.
	require.NoError(t, os.WriteFile(path, []byte(testdata(t, lightFile)), 0o600))
	_, err = store.Unlock(t.Context(), account, say(lightPassphrase))
	require.ErrorIs(t, err, ErrAddressMismatch)
}

func TestAnUnusableFileAsksNothing(t *testing.T) {
	store := Open(t.TempDir())
	path := addFile(t, store, "key.json", testdata(t, lightFile))
	account, err := store.Default()
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 100))
	_, err = store.Unlock(t.Context(), account, mute(t))
	require.ErrorIs(t, err, ErrDamaged)
	require.NoError(t, os.Remove(path))
	_, err = store.Unlock(t.Context(), account, mute(t))
	require.ErrorIs(t, err, os.ErrNotExist)
	var file *FileError
	require.ErrorAs(t, err, &file)
	require.Equal(t, path, file.Path)
}

func TestPassphrasesAreCleared(t *testing.T) {
	var given [][]byte
	remember := func(text string) PassphraseSource {
		return func(context.Context, string) ([]byte, error) {
			given = append(given, []byte(text))
			return given[len(given)-1], nil
		}
	}
	store := Open(t.TempDir())
	account, err := store.New(t.Context(), remember("one"), Light)
	require.NoError(t, err)
	signer, err := store.Unlock(t.Context(), account, remember("one"))
	require.NoError(t, err)
	signer.Close()
	_, err = store.Unlock(t.Context(), account, remember("wrong"))
	require.ErrorIs(t, err, ErrWrongPassphrase)
	require.NoError(t, store.ChangePassphrase(t.Context(), account, remember("one"), remember("two"), Light))
	require.ErrorIs(t, store.ChangePassphrase(t.Context(), account, remember("two"), remember("a\nb"), Light), ErrBadPassphrase)
	_, err = UnlockJSON(t.Context(), []byte(testdata(t, lightFile)), remember(lightPassphrase))
	require.NoError(t, err)
	require.Len(t, given, 8)
	for _, passphrase := range given {
		require.Equal(t, make([]byte, len(passphrase)), passphrase)
	}
}

// TestAnAccountThatIsImportedMeanwhile: an account has one file, also if it was imported twice at once:
// of two files neither is used.
func TestAnAccountThatIsImportedMeanwhile(t *testing.T) {
	store := Open(t.TempDir())
	signer, err := NewRawSigner([]byte(strings.Repeat("01", keySize)))
	require.NoError(t, err)
	defer signer.Close()
	passphrase := PassphraseReader(strings.NewReader("slow"))
	_, err = store.Import(t.Context(), signer, func(ctx context.Context, question string) ([]byte, error) {
		_, err := store.Import(ctx, signer, PassphraseReader(strings.NewReader("fast")), Light)
		require.NoError(t, err)
		return passphrase(ctx, question)
	}, Light)
	require.ErrorIs(t, err, ErrAccountExists)
	account, err := store.Find(signer.Address())
	require.NoError(t, err)
	opened, err := store.Unlock(t.Context(), account, PassphraseReader(strings.NewReader("fast")))
	require.NoError(t, err)
	opened.Close()
}
