package keystore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/words"
)

var (
	// ErrNoAccounts is returned if the store has no accounts.
	ErrNoAccounts = errors.New("no accounts")
	// ErrNoSuchAccount is returned for an address without a file in the store.
	ErrNoSuchAccount = errors.New("no such account")
	// ErrAmbiguous is returned if several files are for the same account.
	ErrAmbiguous = errors.New("keep one of the account's files")
	// ErrAccountExists is returned if the store already has a file for the address.
	ErrAccountExists = errors.New("account exists already")
	// ErrFolder is returned if the folder for a new account cannot be created.
	ErrFolder = errors.New("cannot create the keystore")
	// ErrNotFolder is returned for adding an account to a single key file.
	ErrNotFolder = errors.New("not a folder")

	// ErrWrongPassphrase is returned if the passphrase does not open the key. A file whose key or
	// checksum was altered looks the same.
	ErrWrongPassphrase = errors.New("wrong passphrase")
	// ErrEmptyPassphrase is returned if a source gives no bytes at all, and for encrypting a key
	// under the empty passphrase.
	ErrEmptyPassphrase = errors.New("empty passphrase")
	// ErrBadPassphrase is returned for a passphrase that is too long, and for a new one that could
	// not be typed at a prompt.
	ErrBadPassphrase = errors.New("unusable passphrase")
	// ErrPassphraseFile is returned for a passphrase file that is neither a file nor a pipe, or that
	// other users can read.
	ErrPassphraseFile = errors.New("passphrase file refused")

	// ErrDamaged is returned for a key file that is truncated, not JSON, or incomplete.
	ErrDamaged = errors.New("damaged key file")
	// ErrUnsupported is returned for a key file with another version, cipher or key derivation than
	// this package reads.
	ErrUnsupported = errors.New("unsupported key file")
	// ErrTooCostly is returned for a key file whose key derivation needs more memory or time than
	// any legitimate one.
	ErrTooCostly = errors.New("key derivation too costly")
	// ErrTooLittleMemory is returned for a key file whose key derivation needs more memory than is
	// available.
	ErrTooLittleMemory = errors.New("too little memory to open the key")
	// ErrAddressMismatch is returned if the key in a file is not that of the file's address.
	ErrAddressMismatch = errors.New("address does not match the key")

	// ErrBadKey is returned for text that is not a private key.
	ErrBadKey = errors.New("not a private key")
	// ErrClosed is returned by a Signer after Close.
	ErrClosed = errors.New("signer is closed")
)

// FileError is an error about one key file.
type FileError struct {
	Path string
	// Address is the account of the file, by its content or else by its name; zero if it names
	// none.
	Address common.Address
	// Err is the reason: it wraps ErrDamaged, ErrUnsupported, ErrTooCostly, ErrAddressMismatch or an
	// error of the file system.
	Err error
}

func (e *FileError) Error() string { return fmt.Sprintf("key file %s: %v", e.Path, e.Err) }
func (e *FileError) Unwrap() error { return e.Err }

// SeveralAccountsError is returned if no account was chosen and there are several.
type SeveralAccountsError struct {
	// Accounts are all accounts of the store.
	Accounts []accounts.Account
}

func (e *SeveralAccountsError) Error() string {
	addresses := words.First(e.Accounts, ", ", func(a accounts.Account) string { return a.Address.Hex() })
	return fmt.Sprintf("%d accounts and none chosen: %s", len(e.Accounts), addresses)
}

// UnnamedError is returned if no account was chosen and some key files do not name their address,
// so that the files alone do not tell which account acts.
type UnnamedError struct {
	// Paths are the files that do not name their address.
	Paths []string
	// Others are the accounts of the files that do.
	Others []accounts.Account
}

func (e *UnnamedError) Error() string {
	paths := words.First(e.Paths, ", ", strings.Clone)
	text := "key file " + paths + " does not name its address"
	if len(e.Paths) > 1 {
		text = fmt.Sprintf("%d key files do not name their address: %s", len(e.Paths), paths)
	}
	if len(e.Others) > 0 {
		text += fmt.Sprintf(", and there are %d other accounts", len(e.Others))
	}
	return text
}

// Only returns the file if it is the only one in the store, else "".
func (e *UnnamedError) Only() string {
	if len(e.Paths) == 1 && len(e.Others) == 0 {
		return e.Paths[0]
	}
	return ""
}

// Hint says what can be done.
func (e *UnnamedError) Hint() string {
	if len(e.Paths) > 1 {
		return "pass --keystore FILE with the one file to use"
	}
	return "pass the account with --from ADDRESS, or as the command's argument; pmctl account passwd ADDRESS rewrites the file with its address"
}

// ReadableError is returned for a file with a secret that other users can read. It wraps
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

// Hint says what can be done.
func (e *ReadableError) Hint() string {
	return fmt.Sprintf("run chmod 600 '%s'", e.Path)
}
