package signer

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/keystore"
)

// Account is an account that acts. The caller closes it, which clears its key.
type Account struct {
	address common.Address
	file    string
	open    func(context.Context) (Source, error) // nil for a key that cannot be opened again
	key     Source                                // nil until it is open
}

// KeyFile is the account of a key file in a store, which a passphrase opens when a key is
// needed first, and again after each Close.
func KeyFile(store *keystore.Store, account accounts.Account, passphrase keystore.PassphraseSource) *Account {
	return &Account{address: account.Address, file: account.URL.Path, open: func(ctx context.Context) (Source, error) {
		key, err := store.Unlock(ctx, account, passphrase)
		if err != nil {
			return nil, err
		}
		return Local{key}, nil
	}}
}

// Later is an account that is looked for each time that its key is needed: where rounds pass
// in between, an agent may have it by then, or no longer.
func Later(address common.Address, find func(context.Context) (*Account, error)) *Account {
	return &Account{address: address, open: func(ctx context.Context) (Source, error) {
		found, err := find(ctx)
		if err != nil {
			return nil, err
		}
		return found.Unlock(ctx)
	}}
}

// Opened is the account of a key that is open already, of a file unless that is "". After
// Close it cannot be opened again.
func Opened(key Source, file string) *Account {
	return &Account{address: key.Address(), file: file, key: key}
}

// ErrNoKey is returned for an account that is known by its address alone.
var ErrNoKey = errors.New("the account has no key here to sign with")

// AddressOnly is an account that cannot sign.
func AddressOnly(address common.Address) *Account { return &Account{address: address} }

// Address is the account's.
func (a *Account) Address() common.Address { return a.address }

// File is the path of its key file, "" for a key that is in none here.
func (a *Account) File() string { return a.file }

// Unlock opens the key, once. However long a person takes for the passphrase, no time
// runs out. It fails with ErrNoKey, and as keystore.Store.Unlock does.
func (a *Account) Unlock(ctx context.Context) (Source, error) {
	if a.key == nil && a.open == nil {
		return nil, fmt.Errorf("%w: %v", ErrNoKey, a.address)
	}
	if a.key == nil {
		key, err := a.open(ctx)
		if err != nil {
			return nil, err
		}
		a.key = key
	}
	return a.key, nil
}

// Close clears the key.
func (a *Account) Close() {
	if a.key == nil {
		return
	}
	a.key.Close()
	if a.open != nil {
		a.key = nil // it can be opened again
	}
}

// Reopens tells whether Unlock opens the key after Close: what a descriptor gives can be
// read once.
func (a *Account) Reopens() bool {
	_, here := a.key.(Local)
	return a.open != nil || a.key != nil && !here
}

// Source is the key, nil until it is open.
func (a *Account) Source() Source { return a.key }
