package keystore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

// TestKeyFilesOfOtherWallets opens what other wallets wrote, in place and by import.
func TestKeyFilesOfOtherWallets(t *testing.T) {
	for name, address := range map[string]string{
		"short31.json":  "0x335aDa90bC90E2aF8c3Aa1b057875c99Bb505361",
		"bee-sha3.json": "0x87b832e1F3aAf191e05d2B124cFbF540A8e10Cda",
		"bom.json":      "0xA3418d5ae7ce8346EDCEfaa9D3be3881eA08EB2E",
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "bee-sha3.json" {
				t.Skip(standardStrength)
			}
			text := testdata(t, "others/"+name)
			store := Open(t.TempDir())
			addFile(t, store, name, text)
			account, err := store.Default()
			require.NoError(t, err)
			require.Equal(t, common.HexToAddress(address), account.Address)
			mustUnlock(t, store, account, "secret")

			signer, err := UnlockJSON(t.Context(), []byte(text), say("secret"))
			require.NoError(t, err)
			defer signer.Close()
			require.Equal(t, account.Address, signer.Address())

			_, err = store.Unlock(t.Context(), account, say("Secret"))
			require.ErrorIs(t, err, ErrWrongPassphrase)
			require.NoError(t, store.ChangePassphrase(t.Context(), account, say("secret"), say("next"), Light))
			mustUnlock(t, store, account, "next")
		})
	}
}

// TestAShortKeyIsPadded opens keys of fewer bytes than 32, as wallets wrote them that
// dropped leading zero bytes.
func TestAShortKeyIsPadded(t *testing.T) {
	signer, err := UnlockJSON(t.Context(), []byte(testdata(t, "others/short31.json")), say("secret"))
	require.NoError(t, err)
	defer signer.Close()
	key, err := signer.RawKey()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(key), "00"), "%s", key)
	for size := 1; size <= keySize; size++ {
		sealed := sealedKey{cipherText: make([]byte, size), iv: make([]byte, ivSize), kdf: derivation{kdf: kdfPBKDF2, size: 32, iterations: 1}}
		derived, err := sealed.kdf.key([]byte("secret"))
		require.NoError(t, err)
		sealed.mac = keccakMAC(derived[16:32], sealed.cipherText)
		raw, err := sealed.open([]byte("secret"))
		require.NoError(t, err)
		require.Len(t, raw, keySize)
		require.Equal(t, make([]byte, keySize-size), raw[:keySize-size])
	}
}

// TestAFileWithoutAnAddress is found by opening it, or named.
func TestAFileWithoutAnAddress(t *testing.T) {
	store := Open(t.TempDir())
	path := addFile(t, store, "foundry", testdata(t, "others/foundry"))
	list, err := store.List()
	require.NoError(t, err)
	require.Equal(t, Listing{Unnamed: []string{path}}, list)

	_, err = store.Default()
	var unnamed *UnnamedError
	require.ErrorAs(t, err, &unnamed)
	require.Equal(t, path, unnamed.Only())
	signer := mustUnlock(t, store, accounts.Account{URL: fileURL(path)}, "secret")

	named, err := store.Find(signer.Address())
	require.NoError(t, err)
	mustUnlock(t, store, named, "secret")
	other, err := store.Find(lightAddress)
	require.NoError(t, err)
	_, err = store.Unlock(t.Context(), other, say("secret"))
	require.ErrorIs(t, err, ErrAddressMismatch)

	// Among others it must be named, and of two such files one must be chosen.
	addFile(t, store, "light", testdata(t, lightFile))
	_, err = store.Default()
	require.ErrorAs(t, err, &unnamed)
	require.Empty(t, unnamed.Only())
	addFile(t, store, "again", testdata(t, "others/foundry"))
	_, err = store.Find(signer.Address())
	require.ErrorAs(t, err, &unnamed)
	require.Len(t, unnamed.Paths, 2)

	// With a new passphrase the file gets its address.
	alone := Open(filepath.Join(store.Path(), "foundry"))
	require.NoError(t, alone.ChangePassphrase(t.Context(), named, say("secret"), say("next"), Light))
	found, err := alone.Default()
	require.NoError(t, err)
	require.Equal(t, signer.Address(), found.Address)
}

// TestTheNameOfAFileNamesItsAccount where the content does not.
func TestTheNameOfAFileNamesItsAccount(t *testing.T) {
	signer, err := UnlockJSON(t.Context(), []byte(testdata(t, "others/foundry")), say("secret"))
	require.NoError(t, err)
	defer signer.Close()
	store := Open(t.TempDir())
	addFile(t, store, "UTC--2024-01-01T00-00-00Z--"+lowerHex(signer.Address()), testdata(t, "others/foundry"))
	account, err := store.Default()
	require.NoError(t, err)
	require.Equal(t, signer.Address(), account.Address)
	mustUnlock(t, store, account, "secret")
}

// TestHexOfAnyKind reads digits with a prefix and in upper case.
func TestHexOfAnyKind(t *testing.T) {
	text := testdata(t, lightFile)
	for _, field := range []string{"ciphertext", "iv", "mac", "salt"} {
		before, after, found := strings.Cut(text, `"`+field+`":"`)
		require.True(t, found, field)
		digits, rest, _ := strings.Cut(after, `"`)
		changed := before + `"` + field + `":"0x` + strings.ToUpper(digits) + `"` + rest
		signer, err := UnlockJSON(t.Context(), []byte(changed), say(lightPassphrase))
		require.NoError(t, err, field)
		require.Equal(t, lightAddress, signer.Address())
		signer.Close()
	}
}

// TestOtherFilesAreNamed refuses what is no key file of version 3 by its name.
func TestOtherFilesAreNamed(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{testdata(t, "others/presale.json"), "Ethereum presale wallet"},
		{encodeUTF16(testdata(t, lightFile)), "UTF-16"},
		{encodeUTF16("\ufeff" + testdata(t, lightFile)), "UTF-16"},
		{"[" + testdata(t, lightFile) + "]", "JSON array"},
		{"test test test test test test test test test test test junk\n", "mnemonic phrase"},
		{`{"mnemonic":"test test test","accounts":[]}`, "mnemonic phrase"},
		{altered(t, `"version":3`, `"version":"1"`), "version 1"},
		{`{"crypto":{"kdf":{"function":"scrypt"},"checksum":{},"cipher":{}},"pubkey":"96","path":"m/12381/60/0/0","uuid":"x","version":4}`, "EIP-2335"},
	} {
		_, err := UnlockJSON(t.Context(), []byte(c.content), mute(t))
		require.ErrorIs(t, err, ErrUnsupported)
		require.ErrorContains(t, err, c.want)
	}
}

func encodeUTF16(text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return string(out)
}

// TestAByteOrderMarkInAPassphraseIsNamed: other wallets do not write one.
func TestAByteOrderMarkInAPassphraseIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passphrase")
	require.NoError(t, os.WriteFile(path, []byte(testdata(t, "others/passphrase-with-bom")), 0o600))
	_, err := UnlockJSON(t.Context(), []byte(testdata(t, "others/short31.json")), PassphraseFile(path))
	require.ErrorIs(t, err, ErrWrongPassphrase)
	require.ErrorContains(t, err, "UTF-8 byte order mark")

	store := Open(filepath.Join(t.TempDir(), "keys"))
	_, err = store.New(t.Context(), PassphraseFile(path), Light)
	require.ErrorIs(t, err, ErrBadPassphrase)
	require.ErrorContains(t, err, "UTF-8 byte order mark")
	require.NoDirExists(t, store.Path())
}

// TestMemoryIsLookedAtFirst refuses a derivation that takes more than there is, since
// Go ends when it cannot allocate.
func TestMemoryIsLookedAtFirst(t *testing.T) {
	free, _ := freeMemory()
	if free == ^uint64(0) {
		t.Skip("the system does not tell how much memory there is")
	}
	n := 2
	for 128*8*uint64(n) <= free {
		n *= 2
	}
	_, err := derivation{kdf: kdfScrypt, n: n, r: 8, p: 1, size: 32}.key(nil)
	require.ErrorIs(t, err, ErrTooLittleMemory)
}
