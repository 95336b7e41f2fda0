package keystore

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	geth "github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"

	"github.com/pmctl/pmctl/internal/input"
)

// Strength is the cost of trying one passphrase on a key file.
type Strength int

const (
	// Standard needs 256 MiB of memory and about a second: go-ethereum's default.
	Standard Strength = iota
	// Light needs 4 MiB and a fraction of a second, for small machines and tests.
	Light
)

// scrypt returns the strength's cost parameters N and p; r is always 8.
func (s Strength) scrypt() (n, p int) {
	if s == Light {
		return geth.LightScryptN, geth.LightScryptP
	}
	return geth.StandardScryptN, geth.StandardScryptP
}

// The key derivations of version 3.
const (
	kdfScrypt = "scrypt"
	kdfPBKDF2 = "pbkdf2"
)

// Limits of a key derivation's cost. Wallets write files that need up to 1 GiB; a hostile file
// could demand all memory, or hours of work.
const (
	maxScryptMemory     = 1 << 30 // bytes: 128·N·r; Standard takes 1 << 28
	maxScryptLanes      = 1 << 19 // r·p: 64 MiB more
	maxScryptWork       = 1 << 27 // N·r·p: about a minute; Standard takes 1 << 21
	maxPBKDF2Iterations = 10_000_000
)

// Sizes that version 3 fixes, in bytes.
const (
	keySize   = 32
	macSize   = 32
	ivSize    = 16
	minDKSize = 32
	maxDKSize = 1024
	maxSalt   = 1024
)

// maxFileSize limits a key file, in bytes; wallets write about 500.
const maxFileSize = 64 << 10

// keyFile is a checked key file: every field is present and of the right size, and the key
// derivation is affordable.
type keyFile struct {
	// address is zero if the file, as version 3 allows, does not name it.
	address common.Address
	id      string
	sealed  sealedKey
	// extra are the top-level fields that version 3 does not define.
	extra []string
}

// encodedKey is the JSON of a key file, in go-ethereum's order.
type encodedKey struct {
	Address string          `json:"address"`
	Crypto  geth.CryptoJSON `json:"crypto"`
	ID      string          `json:"id"`
	Version int             `json:"version"`
}

// parseKeyFile checks everything that needs no passphrase. If it fails, it still returns the file's
// address if that could be read.
func parseKeyFile(data []byte) (*keyFile, error) {
	data = bytes.TrimPrefix(data, []byte(input.ByteOrderMark))
	if err := otherKind(data); err != nil {
		return &keyFile{}, err
	}
	var fields map[string]json.RawMessage
	if err := unmarshal(data, &fields); err != nil {
		return &keyFile{}, err
	}
	if err := otherWallet(fields); err != nil {
		return &keyFile{}, err
	}
	var head struct {
		Address *string         `json:"address"`
		Crypto  json.RawMessage `json:"crypto"`
		ID      string          `json:"id"`
		Version json.RawMessage `json:"version"`
	}
	if err := unmarshal(data, &head); err != nil {
		return &keyFile{}, err
	}
	file := &keyFile{id: head.ID}
	if head.Address != nil {
		address, err := parseAddress(*head.Address)
		if err != nil {
			return file, err
		}
		file.address = address
	}
	for name := range fields {
		switch strings.ToLower(name) {
		case "address", "crypto", "id", "version":
		default:
			file.extra = append(file.extra, name)
		}
	}
	switch {
	case head.Version == nil && head.Crypto == nil:
		return file, fmt.Errorf("%w: it is JSON but not a key file", ErrDamaged)
	case head.Version == nil:
		return file, fmt.Errorf("%w: it has no version", ErrDamaged)
	case string(head.Version) != "3":
		return file, fmt.Errorf("%w: version %.20s, only 3 is read", ErrUnsupported, head.Version)
	case head.Crypto == nil:
		return file, fmt.Errorf("%w: it has no key", ErrDamaged)
	}
	var err error
	file.sealed, err = parseCrypto(head.Crypto)
	return file, err
}

// unmarshal decodes JSON, with errors in terms of key files.
func unmarshal(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(data)):
		return fmt.Errorf("%w: it is cut off after %d bytes", ErrDamaged, len(data))
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: it is not JSON, at byte %d", ErrDamaged, syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("%w: its field %.50q is a JSON %s", ErrDamaged, kind.Field, kind.Value)
	default:
		return fmt.Errorf("%w: it is JSON but not a key file", ErrDamaged)
	}
}

func parseAddress(text string) (common.Address, error) {
	raw, err := decodeHex(text)
	if err != nil || len(raw) != common.AddressLength {
		return common.Address{}, fmt.Errorf("%w: its address %.50q is not 40 hex digits", ErrDamaged, text)
	}
	address := common.BytesToAddress(raw)
	if address == (common.Address{}) {
		return address, fmt.Errorf("%w: its address is zero", ErrDamaged)
	}
	return address, nil
}

// parseCrypto returns the encrypted key with checked parameters.
func parseCrypto(data []byte) (sealedKey, error) {
	var c struct {
		Cipher       string `json:"cipher"`
		CipherText   string `json:"ciphertext"`
		CipherParams struct {
			IV string `json:"iv"`
		} `json:"cipherparams"`
		KDF       string          `json:"kdf"`
		KDFParams json.RawMessage `json:"kdfparams"`
		MAC       string          `json:"mac"`
	}
	var out sealedKey
	if err := unmarshal(data, &c); err != nil {
		return out, err
	}
	if c.Cipher != "aes-128-ctr" {
		return out, fmt.Errorf("%w: cipher %.50q, only aes-128-ctr is read", ErrUnsupported, c.Cipher)
	}
	var err error
	if out.kdf, err = parseKDF(c.KDF, c.KDFParams); err != nil {
		return out, err
	}
	for _, f := range []struct {
		name, text  string
		least, most int
		into        *[]byte
	}{
		// Wallets that dropped leading zero bytes of the key wrote fewer than 32.
		{"ciphertext", c.CipherText, 1, keySize, &out.cipherText},
		{"iv", c.CipherParams.IV, ivSize, ivSize, &out.iv},
		{"mac", c.MAC, macSize, macSize, &out.mac},
	} {
		raw, err := decodeHex(f.text)
		if err != nil || len(raw) < f.least || len(raw) > f.most {
			return out, fmt.Errorf("%w: its %s is not %s bytes of hex", ErrDamaged, f.name, span(f.least, f.most))
		}
		*f.into = raw
	}
	return out, nil
}

func span(least, most int) string {
	if least == most {
		return strconv.Itoa(most)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// decodeHex decodes hex digits of any case, with or without 0x.
func decodeHex(text string) ([]byte, error) {
	return hex.DecodeString(strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X"))
}

// parseKDF checks the parameters of a key derivation and its cost.
func parseKDF(kdf string, data []byte) (derivation, error) {
	var d derivation
	if kdf != kdfScrypt && kdf != kdfPBKDF2 {
		return d, fmt.Errorf("%w: key derivation %.50q, only scrypt and pbkdf2 are read", ErrUnsupported, kdf)
	}
	var k struct {
		N, R, P, C, DKLen int64
		PRF, Salt         string
	}
	if err := unmarshal(data, &k); err != nil {
		return d, err
	}
	salt, err := decodeHex(k.Salt)
	if err != nil || len(salt) > maxSalt {
		return d, fmt.Errorf("%w: its salt is not hex of at most %d bytes", ErrDamaged, maxSalt)
	}
	if k.DKLen < minDKSize || k.DKLen > maxDKSize {
		return d, fmt.Errorf("%w: its dklen is %d, not %d to %d", ErrDamaged, k.DKLen, minDKSize, maxDKSize)
	}
	d = derivation{kdf: kdf, salt: salt, size: int(k.DKLen)}
	if kdf == kdfPBKDF2 {
		switch {
		case k.PRF != "hmac-sha256":
			return d, fmt.Errorf("%w: pbkdf2 with %.50q, only hmac-sha256 is read", ErrUnsupported, k.PRF)
		case k.C <= 0:
			return d, fmt.Errorf("%w: pbkdf2 with %d iterations", ErrDamaged, k.C)
		case k.C > maxPBKDF2Iterations:
			return d, fmt.Errorf("%w: pbkdf2 with %d iterations, at most %d", ErrTooCostly, k.C, maxPBKDF2Iterations)
		}
		d.iterations = int(k.C)
		return d, nil
	}
	if k.N <= 1 || k.N&(k.N-1) != 0 || k.R <= 0 || k.P <= 0 {
		return d, fmt.Errorf("%w: scrypt with N=%d, r=%d, p=%d", ErrDamaged, k.N, k.R, k.P)
	}
	if !affordable(k.N, k.R, k.P) {
		return d, fmt.Errorf("%w: scrypt with N=%d, r=%d, p=%d", ErrTooCostly, k.N, k.R, k.P)
	}
	d.n, d.r, d.p = int(k.N), int(k.R), int(k.P)
	return d, nil
}

// affordable reports whether scrypt is within the limits of memory and work. Each factor is checked
// first, so that no product overflows.
func affordable(n, r, p int64) bool {
	return n <= maxScryptWork && r <= maxScryptWork && p <= maxScryptWork &&
		128*n*r <= maxScryptMemory && r*p <= maxScryptLanes && n*r*p <= maxScryptWork
}

// decrypt opens the key and checks that it belongs to the file's address.
func (f *keyFile) decrypt(passphrase []byte) (*ecdsa.PrivateKey, error) {
	raw, err := f.sealed.open(passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	key, err := crypto.ToECDSA(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: it decrypts to an invalid key", ErrDamaged)
	}
	if address := crypto.PubkeyToAddress(key.PublicKey); f.address != (common.Address{}) && f.address != address {
		zeroKey(key)
		return nil, fmt.Errorf("%w: the file has address %s, but the key of %s", ErrAddressMismatch, f.address.Hex(), address.Hex())
	}
	return key, nil
}

// encrypt returns the JSON of a key file. A UUID is kept as the id; otherwise the file gets a new
// one, which go-ethereum requires.
func encrypt(key *ecdsa.PrivateKey, id string, passphrase []byte, strength Strength) ([]byte, error) {
	if parsed, err := uuid.Parse(id); err == nil {
		id = parsed.String()
	} else if random, err := uuid.NewRandom(); err == nil {
		id = random.String()
	} else {
		return nil, err
	}
	raw := crypto.FromECDSA(key)
	defer clear(raw)
	n, p := strength.scrypt()
	sealed, err := geth.EncryptDataV3(raw, passphrase, n, p)
	if err != nil {
		return nil, err
	}
	address := crypto.PubkeyToAddress(key.PublicKey)
	return json.Marshal(encodedKey{hex.EncodeToString(address[:]), sealed, id, 3})
}
