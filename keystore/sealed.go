package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/subtle"
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"
	"golang.org/x/crypto/scrypt"
)

// sealedKey is the encrypted key of a file, with checked parameters.
type sealedKey struct {
	cipherText, iv, mac []byte
	kdf                 derivation
}

// derivation derives the encryption key from a passphrase.
type derivation struct {
	kdf        string
	salt       []byte
	size       int // of the derived key, in bytes
	n, r, p    int // scrypt
	iterations int // PBKDF2 with HMAC-SHA256
}

// String describes the cost, such as "scrypt N=262144 r=8 p=1".
func (d derivation) String() string {
	if d.kdf == kdfPBKDF2 {
		return fmt.Sprintf("%s c=%d", d.kdf, d.iterations)
	}
	return fmt.Sprintf("%s N=%d r=%d p=%d", d.kdf, d.n, d.r, d.p)
}

func (d derivation) memory() uint64 { return 128 * uint64(d.r) * (uint64(d.n) + uint64(d.p)) }

func (d derivation) key(passphrase []byte) ([]byte, error) {
	if d.kdf == kdfPBKDF2 {
		return pbkdf2.Key(sha256.New, string(passphrase), d.salt, d.iterations, d.size)
	}
	if err := checkMemory(d); err != nil {
		return nil, err
	}
	return scrypt.Key(passphrase, d.salt, d.n, d.r, d.p, d.size)
}

// checkMemory refuses a derivation that needs more memory than is available: Go cannot recover from
// a failed allocation.
func checkMemory(d derivation) error {
	free, limit := freeMemory()
	if d.memory() <= free {
		return nil
	}
	return fmt.Errorf("%w: %s takes %d MiB, and %d MiB are available (%s)", ErrTooLittleMemory, d, d.memory()>>20, free>>20, limit)
}

// open decrypts the key, 32 bytes for the caller to clear. It returns ErrWrongPassphrase and
// ErrTooLittleMemory.
func (s *sealedKey) open(passphrase []byte) ([]byte, error) {
	derived, err := s.kdf.key(passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(derived)
	if !s.authentic(derived[16:32]) {
		if mark := encodingOf(passphrase); mark != "" {
			return nil, fmt.Errorf("%w: it begins with %s; save the file as UTF-8 without one", ErrWrongPassphrase, mark)
		}
		return nil, fmt.Errorf("%w, or the encrypted key was altered", ErrWrongPassphrase)
	}
	block, err := aes.NewCipher(derived[:16])
	if err != nil {
		return nil, err
	}
	// Restore the leading zero bytes of a key that was written without them.
	raw := make([]byte, keySize)
	cipher.NewCTR(block, s.iv).XORKeyStream(raw[keySize-len(s.cipherText):], s.cipherText)
	return raw, nil
}

// authentic reports whether the ciphertext was encrypted under this key. Version 3 computes the MAC
// with Keccak-256; some wallets used SHA3-256.
func (s *sealedKey) authentic(macKey []byte) bool {
	standard := sha3.New256()
	standard.Write(macKey)
	standard.Write(s.cipherText)
	return subtle.ConstantTimeCompare(crypto.Keccak256(macKey, s.cipherText), s.mac) == 1 ||
		subtle.ConstantTimeCompare(standard.Sum(nil), s.mac) == 1
}
