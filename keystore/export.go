package keystore

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/internal/durable"
)

// KeyFile returns the key as the JSON of a key file under passphrase, which stays
// the caller's to clear. It fails with ErrEmptyPassphrase, ErrBadPassphrase, and
// with ErrClosed after Close.
func (s *Signer) KeyFile(passphrase []byte, strength Strength) ([]byte, error) {
	return s.keyFile("", passphrase, strength)
}

// keyFile is KeyFile with an id that the file keeps; "" for a new one.
func (s *Signer) keyFile(id string, passphrase []byte, strength Strength) (file []byte, err error) {
	if err := checkNewPassphrase(passphrase); err != nil {
		return nil, err
	}
	err = s.use(func(key *ecdsa.PrivateKey) (err error) {
		file, err = encrypt(key, id, passphrase, strength)
		return err
	})
	return file, err
}

// underNew encrypts the account's key under the new passphrase of a file that source gives,
// and has write write it, who makes sure with check that it opens.
func (s *Signer) underNew(ctx context.Context, of, id string, source PassphraseSource, strength Strength, write func(data []byte, check func([]byte) error) error) error {
	passphrase, err := source(ctx, "New passphrase of "+of)
	if err != nil {
		return err
	}
	defer clear(passphrase)
	data, err := s.keyFile(id, passphrase, strength)
	if err != nil {
		return err
	}
	// Deriving the key took a while, and has no other way to be stopped.
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return write(data, opensTo(s.Address(), passphrase))
}

// RawKey returns the private key as 64 hex digits, for the caller to clear.
// Anyone who sees them controls the account's funds. It fails with ErrClosed after Close.
func (s *Signer) RawKey() ([]byte, error) {
	// Room for a newline, so that adding it leaves no copy behind.
	text := make([]byte, 2*keySize, 2*keySize+1)
	err := s.use(func(key *ecdsa.PrivateKey) error {
		raw := crypto.FromECDSA(key)
		defer clear(raw)
		hex.Encode(text, raw)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return text, nil
}

// WriteKeyFile writes the account to a new key file of mode 0600, under the new
// passphrase that source gives. It fails with fs.ErrExist when there is something
// at path already, otherwise as Store.Import does, and then leaves no file.
func (s *Signer) WriteKeyFile(ctx context.Context, path string, source PassphraseSource, strength Strength) error {
	return s.writeKeyFile(ctx, durable.OS{}, path, source, strength)
}

func (s *Signer) writeKeyFile(ctx context.Context, files durable.FS, path string, source PassphraseSource, strength Strength) error {
	if err := vacant(path); err != nil {
		return err
	}
	return s.underNew(ctx, path, "", source, strength, func(data []byte, check func([]byte) error) error {
		return writeFile(files, path, data, check, durable.New)
	})
}

// WriteRawKey writes what RawKey returns, and a newline, to a new file of mode
// 0600. It fails as WriteKeyFile does.
func (s *Signer) WriteRawKey(path string) error { return s.writeRawKey(durable.OS{}, path) }

func (s *Signer) writeRawKey(files durable.FS, path string) error {
	if err := vacant(path); err != nil {
		return err
	}
	text, err := s.RawKey()
	if err != nil {
		return err
	}
	text = append(text, '\n')
	defer clear(text)
	same := func(written []byte) error {
		defer clear(written)
		if !bytes.Equal(written, text) {
			return errors.New("it reads differently")
		}
		return nil
	}
	return writeFile(files, path, text, same, durable.New)
}

// vacant fails early where durable.New would fail in the end.
func vacant(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}

// opensTo returns a test that a file just written opens to the account's key. It
// costs another key derivation; a key that cannot be opened costs the account.
func opensTo(address common.Address, passphrase []byte) func(data []byte) error {
	return func(data []byte) error {
		file, err := parseKeyFile(data)
		if err != nil {
			return err
		}
		key, err := file.decrypt(passphrase)
		if err != nil {
			return err
		}
		defer zeroKey(key)
		if got := crypto.PubkeyToAddress(key.PublicKey); got != address {
			return fmt.Errorf("%w: %s, want %s", ErrAddressMismatch, got.Hex(), address.Hex())
		}
		return nil
	}
}
