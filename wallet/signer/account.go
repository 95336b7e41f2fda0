package signer

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/keystore"
)

// Account is an account that may sign. The caller closes it, which clears its key. It is not safe for
// concurrent use.
type Account struct {
	address common.Address
	file    string
	open    func(context.Context) (Source, error) // nil for a key that cannot be reopened
	key     Source                                // nil until it is open
	cleared bool                                  // the key was here, and cannot be reopened
}

// KeyFile is the account of a key file in a store. A passphrase opens its key when it is first
// needed, and again after each Close.
func KeyFile(store *keystore.Store, account accounts.Account, passphrase keystore.PassphraseSource) *Account {
	return &Account{address: account.Address, file: account.URL.Path, open: func(ctx context.Context) (Source, error) {
		key, err := store.Unlock(ctx, account, passphrase)
		if err != nil {
			return nil, err
		}
		return Local{key}, nil
	}}
}

// Later is an account that find looks up each time its key is needed: rounds may pass in
// between, and an agent may have the key by then, or no longer. Without find, or where it returns nil,
// the account cannot sign. The key of another account is refused with keystore.ErrAddressMismatch.
func Later(address common.Address, find func(context.Context) (*Account, error)) *Account {
	if find == nil {
		return AddressOnly(address)
	}
	return &Account{address: address, open: func(ctx context.Context) (Source, error) {
		found, err := find(ctx)
		if err != nil {
			return nil, err
		}
		found = cmp.Or(found, AddressOnly(address))
		if got := found.Address(); got != address {
			found.Close()
			return nil, fmt.Errorf("%w: the account is %v, the key that was found for it is that of %v", keystore.ErrAddressMismatch, address, got)
		}
		return found.Unlock(ctx)
	}}
}

// Opened is the account of a key that is open already, of a file unless that is "". A wallet clears
// the key once it has signed a transaction, and when it is closed; then the account signs no more.
// Later is for a wallet that signs again after a transaction.
func Opened(key Source, file string) *Account {
	return &Account{address: key.Address(), file: file, key: key}
}

var (
	// ErrNoKey is returned for an account of which only the address is known.
	ErrNoKey = errors.New("there is no key of the account to sign with")
	// ErrCleared is returned for an account of Opened that was closed.
	ErrCleared = errors.New("the key was cleared after use, and cannot be opened again")
)

// AddressOnly is an account that cannot sign.
func AddressOnly(address common.Address) *Account { return &Account{address: address} }

// Address is the account's.
func (a *Account) Address() common.Address { return a.address }

// File is the path of its key file, "" for a key without one.
func (a *Account) File() string { return a.file }

// Unlock opens the key, once. It sets no time limit for the passphrase. It fails with ErrNoKey,
// ErrCleared, keystore.ErrAddressMismatch, and as keystore.Store.Unlock does.
func (a *Account) Unlock(ctx context.Context) (Source, error) {
	switch {
	case a.key != nil:
		return a.key, nil
	case a.cleared:
		return nil, fmt.Errorf("%w: %v", ErrCleared, a.address)
	case a.open == nil:
		return nil, fmt.Errorf("%w: %v", ErrNoKey, a.address)
	}
	key, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	a.key = key
	return key, nil
}

// Close clears the key.
func (a *Account) Close() {
	if a.key == nil {
		return
	}
	a.key.Close()
	if _, here := a.key.(Local); here || a.open != nil {
		a.key, a.cleared = nil, a.open == nil
	}
}

// Reopens reports whether Unlock opens the key after Close: a descriptor can be read only once.
func (a *Account) Reopens() bool {
	_, here := a.key.(Local)
	return a.open != nil || a.key != nil && !here
}

// Source is the key, nil until it is open.
func (a *Account) Source() Source { return a.key }
