package keystore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
)

func TestHostileKeyFiles(t *testing.T) {
	const n, r, p = `"n":4096`, `"r":8`, `"p":6`
	pbkdf2 := strings.Join(strings.Fields(testdata(t, "standard-pbkdf2.json")), "")
	edit := func(old, new string) string { return altered(t, old, new) }
	slow := func(c string) string {
		require.Contains(t, pbkdf2, `"c":262144`)
		return strings.Replace(pbkdf2, `"c":262144`, c, 1)
	}
	for _, c := range []struct {
		name, content string
		want          error
	}{
		{"cipher", edit("aes-128-ctr", "aes-128-cbc"), ErrUnsupported},
		{"no cipher", edit(`"cipher":"aes-128-ctr",`, ""), ErrUnsupported},
		{"kdf", edit(`"kdf":"scrypt"`, `"kdf":"argon2id"`), ErrUnsupported},
		{"no kdf", edit(`"kdf":"scrypt",`, ``), ErrUnsupported},
		{"prf", strings.Replace(pbkdf2, "hmac-sha256", "hmac-sha1", 1), ErrUnsupported},
		{"no prf", strings.Replace(pbkdf2, `"prf":"hmac-sha256",`, "", 1), ErrUnsupported},
		{"version 4", edit(`"version":3`, `"version":4`), ErrUnsupported},
		{"version as text", edit(`"version":3`, `"version":"3"`), ErrUnsupported},

		{"crypto is null", edit(`"crypto":{`, `"crypto":null,"x":{`), ErrUnsupported},
		{"crypto is a list", edit(`"crypto":{`, `"crypto":[],"x":{`), ErrDamaged},
		{"no crypto", edit(`"crypto":{`, `"x":{`), ErrDamaged},
		{"no kdfparams", edit(`"kdfparams":{`, `"x":{`), ErrDamaged},
		{"kdfparams are null", edit(`"kdfparams":{`, `"kdfparams":null,"x":{`), ErrDamaged},
		{"mac of 31 bytes", edit(`"mac":"3e`, `"mac":"`), ErrDamaged},
		{"mac that is no hex", edit(`"mac":"3e`, `"mac":"zz`), ErrDamaged},
		{"no mac", edit(`"mac"`, `"x"`), ErrDamaged},
		{"iv of 15 bytes", edit(`"iv":"b2`, `"iv":"`), ErrDamaged},
		{"no iv", edit(`"iv"`, `"x"`), ErrDamaged},
		{"ciphertext of no bytes", edit(`"ciphertext"`, `"ciphertext":"","x"`), ErrDamaged},
		{"ciphertext of 33 bytes", edit(`"ciphertext":"0e`, `"ciphertext":"000e`), ErrDamaged},
		{"salt that is no hex", edit(`"salt":"65`, `"salt":"6`), ErrDamaged},
		{"salt is a number", edit(`"salt":"6523c9ec7ec2a0bcf7c4815914f2b4d2adaecc37c3648375b86ccdef809b80ed"`, `"salt":7`), ErrDamaged},
		{"long salt", edit(`"salt":"`, `"salt":"`+strings.Repeat("00", maxSalt)), ErrDamaged},
		{"dklen 0", edit(`"dklen":32`, `"dklen":0`), ErrDamaged},
		{"dklen 31", edit(`"dklen":32`, `"dklen":31`), ErrDamaged},
		{"dklen -1", edit(`"dklen":32`, `"dklen":-1`), ErrDamaged},
		{"no dklen", edit(`"dklen":32,`, ``), ErrDamaged},
		{"vast dklen", edit(`"dklen":32`, `"dklen":137438953440`), ErrDamaged},

		{"N 0", edit(n, `"n":0`), ErrDamaged},
		{"N 1", edit(n, `"n":1`), ErrDamaged},
		{"N negative", edit(n, `"n":-4096`), ErrDamaged},
		{"N no power of two", edit(n, `"n":4095`), ErrDamaged},
		{"N a fraction", edit(n, `"n":4096.5`), ErrDamaged},
		{"N a text", edit(n, `"n":"4096"`), ErrDamaged},
		{"N over 64 bits", edit(n, `"n":1e300`), ErrDamaged},
		{"no N", edit(n+",", ``), ErrDamaged},
		{"r 0", edit(r, `"r":0`), ErrDamaged},
		{"p 0", edit(p, `"p":0`), ErrDamaged},
		{"N for 2 GiB", edit(n, `"n":2097152`), ErrTooCostly},
		{"N 2^62", edit(n, `"n":4611686018427387904`), ErrTooCostly},
		{"r for 4 TiB", edit(r, `"r":8388608`), ErrTooCostly},
		{"p for an hour", edit(p, `"p":100000`), ErrTooCostly},
		{"r and p whose product overflows", strings.Replace(edit(r, `"r":4294967296`), p, `"p":4294967296`, 1), ErrTooCostly},
		{"small N, vast p", strings.Replace(edit(n, `"n":2`), p, `"p":9000000`, 1), ErrTooCostly},
		{"pbkdf2 for an hour", slow(`"c":2000000000`), ErrTooCostly},
		{"pbkdf2 0", slow(`"c":0`), ErrDamaged},
		{"pbkdf2 negative", slow(`"c":-1`), ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := UnlockJSON(t.Context(), []byte(c.content), mute(t))
			require.ErrorIs(t, err, c.want)
		})
	}
}

// TestStrongKeyFilesAreAffordable accepts what wallets write, up to 1 GiB: four times
// the memory of go-ethereum's standard.
func TestStrongKeyFilesAreAffordable(t *testing.T) {
	for _, c := range []struct {
		n, r, p int64
		want    bool
	}{
		{1 << 18, 8, 1, true}, {1 << 17, 8, 1, true}, {1 << 18, 1, 8, true}, {1 << 12, 8, 6, true}, {1 << 13, 8, 1, true},
		{1 << 19, 8, 1, true}, {1 << 19, 8, 4, true}, {1 << 20, 8, 1, true}, {1 << 20, 8, 16, true}, {1 << 20, 8, 32, false}, {1 << 21, 8, 1, false},
		{1 << 23, 1, 1, true}, {1 << 12, 1 << 11, 1, true}, {1 << 19, 8, 5, true}, {2, 1, 1 << 23, false}, {2, 1 << 23, 1, false},
		{1 << 62, 1 << 62, 1 << 62, false},
	} {
		require.Equal(t, c.want, affordable(c.n, c.r, c.p), c)
	}
}

func TestOptionalHexPrefixAndCaseOfTheAddress(t *testing.T) {
	for _, text := range []string{lightAddress.Hex(), strings.ToUpper(lowerHex(lightAddress)), "0X" + lowerHex(lightAddress)} {
		file, err := parseKeyFile([]byte(altered(t, lowerHex(lightAddress), text)))
		require.NoError(t, err)
		require.Equal(t, lightAddress, file.address)
	}
}

func TestAnAlteredKeyDoesNotOpen(t *testing.T) {
	for _, change := range [][2]string{{`"ciphertext":"0e`, `"ciphertext":"0f`}, {`"mac":"3e`, `"mac":"3f`}, {`"salt":"65`, `"salt":"66`}} {
		_, err := UnlockJSON(t.Context(), []byte(altered(t, change[0], change[1])), say(lightPassphrase))
		require.ErrorIs(t, err, ErrWrongPassphrase)
	}
	// The checksum does not cover the iv: the key comes out as another one.
	_, err := UnlockJSON(t.Context(), []byte(altered(t, `"iv":"b2`, `"iv":"b3`)), say(lightPassphrase))
	require.ErrorIs(t, err, ErrAddressMismatch)
}

// FuzzParseKeyFile feeds arbitrary files: none makes the parser panic, fail
// without a reason, or let through what the decryption cannot take.
func FuzzParseKeyFile(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	const cheap = `{"address":"%040x","crypto":{"cipher":"aes-128-ctr","ciphertext":"%064x","cipherparams":{"iv":"%032x"},` +
		`"kdf":%s,"mac":"%064x"},"id":"","version":3}`
	f.Add(fmt.Appendf(nil, cheap, 1, 2, 3, `"scrypt","kdfparams":{"n":2,"r":1,"p":1,"dklen":32,"salt":""}`, 4))
	f.Add(fmt.Appendf(nil, cheap, 1, 2, 3, `"pbkdf2","kdfparams":{"c":1,"prf":"hmac-sha256","dklen":64,"salt":"00"}`, 4))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parseKeyFile(data)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrTooCostly) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if kdf := file.sealed.kdf; kdf.n*kdf.r*kdf.p+kdf.iterations > 1<<12 {
			return
		}
		key, err := file.decrypt([]byte("passphrase"))
		switch {
		case err == nil:
			if _, err := crypto.ToECDSA(crypto.FromECDSA(key)); err != nil {
				t.Fatal(err)
			}
		case !errors.Is(err, ErrWrongPassphrase) && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrAddressMismatch):
			t.Fatalf("untyped error %v", err)
		}
	})
}
