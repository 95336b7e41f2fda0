package keystore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
)

var (
	// ErrNoAccounts is returned when an account is wanted and the store has none.
	ErrNoAccounts = errors.New("no accounts")
	// ErrNoSuchAccount is returned for an address that the store has no file for.
	ErrNoSuchAccount = errors.New("no such account")
	// ErrAccountExists is returned when the store already has a file for the address.
	ErrAccountExists = errors.New("account exists already")
	// ErrFolder is returned when the folder for a new account cannot be created.
	ErrFolder = errors.New("cannot create the keystore")
	// ErrNotFolder is returned when an account is to be added to a single key file.
	ErrNotFolder = errors.New("not a folder")

	// ErrWrongPassphrase is returned when the passphrase does not open the key. A
	// file whose key or checksum was altered looks the same.
	ErrWrongPassphrase = errors.New("wrong passphrase")
	// ErrEmptyPassphrase is returned when a passphrase's source gave nothing at
	// all, and when a key would be encrypted under the empty passphrase.
	ErrEmptyPassphrase = errors.New("empty passphrase")
	// ErrBadPassphrase is returned for a passphrase that is too long, and for a
	// new one that could not be typed at a prompt.
	ErrBadPassphrase = errors.New("unusable passphrase")
	// ErrPassphraseFile is returned for a passphrase file that is no file or that
	// other users can read.
	ErrPassphraseFile = errors.New("passphrase file refused")

	// ErrDamaged is returned for a key file that is truncated, not JSON, or lacks
	// something that every key file has.
	ErrDamaged = errors.New("damaged key file")
	// ErrUnsupported is returned for a key file of a kind that this package does
	// not read: another version, cipher or key derivation.
	ErrUnsupported = errors.New("unsupported key file")
	// ErrTooCostly is returned for a key file whose key derivation would take more
	// memory or time than any honest file asks for.
	ErrTooCostly = errors.New("key derivation too costly")
	// ErrTooLittleMemory is returned for a key file whose key derivation takes more
	// memory than the process can get.
	ErrTooLittleMemory = errors.New("too little memory to open the key")
	// ErrAddressMismatch is returned when the key in a file is not the key of the
	// address that the file is for.
	ErrAddressMismatch = errors.New("address does not match the key")

	// ErrBadKey is returned for text that is not a private key.
	ErrBadKey = errors.New("not a private key")
	// ErrClosed is returned by a Signer after Close.
	ErrClosed = errors.New("signer is closed")
)

// FileError is what is wrong with one key file.
type FileError struct {
	// Path names the file.
	Path string
	// Address is the account that the file claims to be, by its content or else
	// by its name; zero when it claims none.
	Address common.Address
	// Err is the reason: it wraps ErrDamaged, ErrUnsupported, ErrTooCostly or an
	// error of the file system.
	Err error
}

func (e *FileError) Error() string { return fmt.Sprintf("key file %s: %v", e.Path, e.Err) }

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

// SeveralAccountsError is returned when no account was chosen and there is more
// than one to choose from.
type SeveralAccountsError struct {
	// Accounts are all accounts of the store.
	Accounts []accounts.Account
}

func (e *SeveralAccountsError) Error() string {
	addresses := make([]string, len(e.Accounts))
	for i, a := range e.Accounts {
		addresses[i] = a.Address.Hex()
	}
	return fmt.Sprintf("%d accounts and none chosen: %s", len(e.Accounts), strings.Join(addresses, ", "))
}

// AmbiguousError is returned when several files claim to be the same account.
type AmbiguousError struct {
	// Address is the account.
	Address common.Address
	// Paths are the files.
	Paths []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("account %s is in %d files, keep one: %s", e.Address.Hex(), len(e.Paths), strings.Join(e.Paths, ", "))
}

// UnnamedError is returned when no account was named and there are key files that do
// not name their address, so that the files alone do not tell which account acts.
type UnnamedError struct {
	// Paths are the files that do not name their address.
	Paths []string
	// Others are the accounts whose files do.
	Others []accounts.Account
}

func (e *UnnamedError) Error() string {
	text := "key file " + strings.Join(e.Paths, ", ") + " does not name its address"
	if len(e.Paths) > 1 {
		text = fmt.Sprintf("%d key files do not name their address: %s", len(e.Paths), strings.Join(e.Paths, ", "))
	}
	if len(e.Others) > 0 {
		text += fmt.Sprintf(", and there are %d other accounts", len(e.Others))
	}
	return text
}

// Only returns the file when it is the only one of the store, else "".
func (e *UnnamedError) Only() string {
	if len(e.Paths) == 1 && len(e.Others) == 0 {
		return e.Paths[0]
	}
	return ""
}

// Hint says what to do.
func (e *UnnamedError) Hint() string {
	if len(e.Paths) > 1 {
		return "pass --keystore FILE with the one file to use"
	}
	return "name the account with --from ADDRESS, or as the command's argument; pmctl account passwd ADDRESS writes the file anew, with its address"
}

// ReadableError is a file with a secret that other users can read. It wraps
// ErrPassphraseFile.
type ReadableError struct {
	// Path is the file, and By who can read it.
	Path, By string
}

func (e *ReadableError) Error() string {
	return fmt.Sprintf("%v: %s can read %s", ErrPassphraseFile, e.By, e.Path)
}

// Unwrap returns ErrPassphraseFile.
func (e *ReadableError) Unwrap() error { return ErrPassphraseFile }

// Hint says what to do.
func (e *ReadableError) Hint() string {
	return fmt.Sprintf("run chmod 600 '%s'; where the file cannot be changed (a secret of Docker or Kubernetes), pass --passphrase-fd 3 3<'%s'", e.Path, e.Path)
}
