package keystore

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
)

// Store is a folder of key files, or one key file. It caches nothing: every call reads the files.
type Store struct {
	path  string
	files durable.FS
}

// Open returns the store at path, which need not exist: the folder is created with the first
// account. It reads nothing.
func Open(path string) *Store { return &Store{filepath.Clean(path), durable.OS{}} }

// Path returns the path of the store.
func (s *Store) Path() string { return s.path }

// Find returns the account of an address. A file that does not name its address is taken for that
// account's if it is the only such file and no other has the address; Unlock verifies that. Find
// returns ErrNoSuchAccount, ErrNoAccounts, ErrAmbiguous if two files have the address,
// *UnnamedError if several files name no address, and *FileError if the address's file cannot be
// used.
func (s *Store) Find(address common.Address) (accounts.Account, error) {
	list, err := s.List()
	if err != nil {
		return accounts.Account{}, err
	}
	if found := list.of(address); len(found) > 0 {
		return unambiguous(found)
	}
	for _, problem := range list.Problems {
		if problem.Address == address {
			return accounts.Account{}, problem
		}
	}
	switch {
	case len(list.Unnamed) == 1:
		return accounts.Account{Address: address, URL: fileURL(list.Unnamed[0])}, nil
	case len(list.Unnamed) > 1:
		return accounts.Account{}, &UnnamedError{Paths: list.Unnamed}
	case len(list.Accounts) == 0:
		return accounts.Account{}, s.noAccounts(list)
	}
	return accounts.Account{}, fmt.Errorf("%w as %s in %s%s", ErrNoSuchAccount, address.Hex(), s.path, list.unreadable())
}

// Default returns the only account. It returns ErrNoAccounts if there is none,
// *SeveralAccountsError if there are several, *UnnamedError if files name no address, and otherwise
// the errors of Find.
func (s *Store) Default() (accounts.Account, error) {
	list, err := s.List()
	if err != nil {
		return accounts.Account{}, err
	}
	if len(list.Unnamed) > 0 {
		return accounts.Account{}, &UnnamedError{Paths: list.Unnamed, Others: list.Accounts}
	}
	if len(list.Accounts) == 0 {
		return accounts.Account{}, s.noAccounts(list)
	}
	first := list.of(list.Accounts[0].Address)
	if len(first) < len(list.Accounts) {
		return accounts.Account{}, &SeveralAccountsError{Accounts: list.Accounts}
	}
	return unambiguous(first)
}

// of returns the accounts of an address: several if several files have it.
func (l Listing) of(address common.Address) []accounts.Account {
	return slices.DeleteFunc(slices.Clone(l.Accounts), func(a accounts.Account) bool { return a.Address != address })
}

// unreadable returns the end of a message, with files that may contain what was not found.
func (l Listing) unreadable() string {
	if len(l.Problems) == 0 {
		return ""
	}
	return "; unusable: " + words.First(l.Problems, "; ", (*FileError).Error)
}

func (s *Store) noAccounts(list Listing) error {
	if len(list.Problems) == 1 && list.Problems[0].Path == s.path {
		return list.Problems[0]
	}
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w in %s: it does not exist", ErrNoAccounts, s.path)
	}
	return fmt.Errorf("%w in %s%s", ErrNoAccounts, s.path, list.unreadable())
}

func unambiguous(found []accounts.Account) (accounts.Account, error) {
	if len(found) == 1 {
		return found[0], nil
	}
	paths := words.First(found, ", ", func(a accounts.Account) string { return a.URL.Path })
	return accounts.Account{}, hint.Kind(ErrAmbiguous, fmt.Errorf("account %s is in %d files, keep one: %s", found[0].Address.Hex(), len(found), paths))
}

// Unlock asks source for the passphrase of an account that Find, Default or List returned, and
// opens its key. The zero address stands for that of the key in the file. Unlock returns
// ErrWrongPassphrase, ErrTooLittleMemory, ErrAddressMismatch if the file has another account's key,
// *FileError if the file cannot be used, and source's errors.
func (s *Store) Unlock(ctx context.Context, account accounts.Account, source PassphraseSource) (*Signer, error) {
	path := account.URL.Path
	file, _, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	name := account.Address.Hex()
	if account.Address == (common.Address{}) {
		name = path
	}
	signer, err := file.unlock(ctx, path, source, "Passphrase of "+name)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", name, err)
	}
	if account.Address != (common.Address{}) && signer.Address() != account.Address {
		signer.Close()
		return nil, &FileError{path, account.Address, fmt.Errorf("%w: it contains the key of %s", ErrAddressMismatch, signer.Address().Hex())}
	}
	return signer, nil
}

// UnlockJSON opens a key file that is not in a store. It returns the errors of Unlock, but for the
// content of the file ErrDamaged, ErrUnsupported or ErrTooCostly without a *FileError.
func UnlockJSON(ctx context.Context, data []byte, source PassphraseSource) (*Signer, error) {
	file, err := parseKeyFile(data)
	if err != nil {
		return nil, err
	}
	return file.unlock(ctx, "", source, "Passphrase of the key file")
}

func (f *keyFile) unlock(ctx context.Context, path string, source PassphraseSource, question string) (*Signer, error) {
	passphrase, err := source.read(ctx, question)
	if err != nil {
		return nil, err
	}
	defer clear(passphrase)
	key, err := f.decrypt(passphrase)
	if err != nil {
		return nil, err
	}
	return newSigner(key, path), nil
}

// KDF describes the key derivation of an account's key file, such as "scrypt N=262144 r=8 p=1". It
// returns *FileError.
func (s *Store) KDF(account accounts.Account) (string, error) {
	file, _, err := readKeyFile(account.URL.Path)
	if err != nil {
		return "", err
	}
	return file.sealed.kdf.String(), nil
}

// New creates an account under a new passphrase. It returns the errors of Import.
func (s *Store) New(ctx context.Context, source PassphraseSource, strength Strength) (accounts.Account, error) {
	key, err := crypto.GenerateKey()
	if err != nil {
		return accounts.Account{}, fmt.Errorf("create a key: %w", err)
	}
	signer := newSigner(key, "")
	defer signer.Close()
	return s.Import(ctx, signer, source, strength)
}

// Import writes signer's account to the folder under a new passphrase. It returns ErrAccountExists,
// ErrNotFolder, ErrFolder, ErrEmptyPassphrase, ErrBadPassphrase, ErrClosed, and source's errors, and
// then adds no file. Only a file that was written and could not be synced stays: the error says that
// it might not survive a power failure.
func (s *Store) Import(ctx context.Context, signer *Signer, source PassphraseSource, strength Strength) (accounts.Account, error) {
	address := signer.Address()
	if err := s.roomFor(address); err != nil {
		return accounts.Account{}, err
	}
	var path string
	err := signer.underNew(ctx, address.Hex(), "", source, strength, func(data []byte, check func([]byte) error) error {
		if err := durable.MkdirAll(s.files, s.path); err != nil {
			return fmt.Errorf("%w: %w", ErrFolder, err)
		}
		path = filepath.Join(s.path, fileName(address, time.Now()))
		// The passphrase and the key derivations took a while: it may have been imported meanwhile.
		last := func(written []byte) error { return cmp.Or(check(written), s.roomFor(address)) }
		return named(address, writeFile(s.files, path, data, last, durable.New))
	})
	if err != nil {
		return accounts.Account{}, err
	}
	return accounts.Account{Address: address, URL: fileURL(path)}, nil
}

// named adds the account to an error.
func named(address common.Address, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("account %s: %w", address.Hex(), err)
}

// roomFor checks whether the account may be added.
func (s *Store) roomFor(address common.Address) error {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("keystore: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("keystore %s: %w", s.path, ErrNotFolder)
	}
	list, err := s.List()
	if err != nil {
		return err
	}
	if found := list.of(address); len(found) > 0 {
		return fmt.Errorf("%w: %s is in %s", ErrAccountExists, address.Hex(), found[0].URL.Path)
	}
	return nil
}

// ChangePassphrase encrypts an account's file again: current returns the old passphrase, then next
// the new one. The new file replaces the old one atomically, after it was read back and opened. It
// returns the errors of Unlock and Import, and then leaves the old file unchanged, unless the new one
// only could not be synced.
func (s *Store) ChangePassphrase(ctx context.Context, account accounts.Account, current, next PassphraseSource, strength Strength) error {
	// Replace the file itself and not a link to it: the old passphrase must not open the link's
	// target any more.
	path, err := filepath.EvalSymlinks(account.URL.Path)
	if err != nil {
		return &FileError{account.URL.Path, account.Address, reason(err)}
	}
	file, _, err := readKeyFile(path)
	if err != nil {
		return err
	}
	if len(file.extra) > 0 {
		return &FileError{path, account.Address, fmt.Errorf("%w: it also has %.100q, which a new passphrase would make unreadable", ErrUnsupported, file.extra)}
	}
	account.URL = fileURL(path)
	signer, err := s.Unlock(ctx, account, current)
	if err != nil {
		return err
	}
	defer signer.Close()
	return signer.underNew(ctx, account.Address.Hex(), file.id, next, strength, func(data []byte, check func([]byte) error) error {
		return named(account.Address, writeFile(s.files, path, data, check, durable.Replace))
	})
}

// fileName returns go-ethereum's name for a key file: names sort by age.
func fileName(address common.Address, now time.Time) string {
	return now.UTC().Format("UTC--2006-01-02T15-04-05.000000000Z--") + hex.EncodeToString(address[:])
}
