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

// KeyFile returns the key as the JSON of a key file under passphrase, which the caller clears. It
// returns ErrEmptyPassphrase, ErrBadPassphrase, and ErrClosed after Close.
func (s *Signer) KeyFile(passphrase []byte, strength Strength) ([]byte, error) {
	return s.keyFile("", passphrase, strength)
}

// keyFile is KeyFile with the file's id; "" for a new one.
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

// underNew encrypts the account's key under a new passphrase from source, and calls write, which
// must call check to verify that the file can be opened.
func (s *Signer) underNew(ctx context.Context, of, id string, source PassphraseSource, strength Strength, write func(data []byte, check func([]byte) error) error) error {
	passphrase, err := source.read(ctx, "New passphrase of "+of)
	if err != nil {
		return err
	}
	defer clear(passphrase)
	data, err := s.keyFile(id, passphrase, strength)
	if err != nil {
		return err
	}
	// The key derivation took a while and cannot be interrupted.
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return write(data, opensTo(s.Address(), passphrase))
}

// RawKey returns the private key as 64 hex digits, for the caller to clear. Anyone who sees them
// controls the account's funds. It returns ErrClosed after Close.
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

// WriteKeyFile writes the account to a new key file of mode 0600, under a new passphrase from
// source. It returns fs.ErrExist if path exists, ErrEmptyPassphrase, ErrBadPassphrase, ErrClosed and
// source's errors, and leaves no file then; a file that could not be synced stays, as in Store.Import.
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

// WriteRawKey writes the result of RawKey, and a newline, to a new file of mode 0600. It returns
// fs.ErrExist if path exists, and ErrClosed, and leaves no file then; a file that could not be synced
// stays, as in Store.Import.
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
			return errors.New("its content differs after writing")
		}
		return nil
	}
	return writeFile(files, path, text, same, durable.New)
}

// vacant fails early for a path where durable.New would fail at the end.
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

// opensTo returns a check that a new file opens to the account's key. It costs another key
// derivation; a key that cannot be opened would cost the account.
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
