package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/accounts"
	geth "github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet/signer"
)

// keyOptions say where the key of the account that acts is: in a key file, which a
// passphrase opens, or behind a descriptor.
type keyOptions struct {
	keystore   keystoreOptions
	passphrase passphraseOptions
	fd         descriptor
}

func (o *keyOptions) register(cmd *cobra.Command) {
	o.keystore.register(cmd)
	o.passphrase.register(cmd)
	o.registerFD(cmd)
}

// registerAddress adds the flags of a command that needs the account's address alone.
func (o *keyOptions) registerAddress(cmd *cobra.Command) {
	o.keystore.register(cmd)
	o.registerFD(cmd)
}

func (o *keyOptions) registerFD(cmd *cobra.Command) {
	cmd.Flags().Var(&o.fd, "key-fd", "read the account's private key, 64 hex digits, from the open file descriptor `N`; no key file is used")
	for _, other := range []string{"keystore", "passphrase-file", "passphrase-fd"} {
		if cmd.Flags().Lookup(other) != nil {
			cmd.MarkFlagsMutuallyExclusive("key-fd", other)
		}
	}
}

// onStdin names the flag that reads a secret from stdin, "" when none does.
func (o *keyOptions) onStdin() string {
	switch {
	case o.fd.is(0):
		return "--key-fd"
	case o.passphrase.fd.is(0):
		return "--passphrase-fd"
	}
	return ""
}

// available tells whether there is anybody or anything that can open a key.
func (o *keyOptions) available(env *Env) error {
	if o.fd.given {
		return nil
	}
	return o.passphrase.available(env)
}

// unattended tells whether a key that no agent has is opened without asking a person.
func (o *keyOptions) unattended(env *Env) bool {
	return o.fd.given || o.passphrase.given() || o.passphrase.path(env) != ""
}

// find finds the account of an address: in the agent where that signs for it on the
// chain, 0 for no agent. A key behind a descriptor, which can be read
// once, is read here, and must be that account's.
func (o *keyOptions) find(ctx context.Context, env *Env, address common.Address, chainID uint64) (*signer.Account, error) {
	if found, err := o.agent(ctx, env, &address, chainID); found != nil || err != nil {
		return found, err
	}
	if o.fd.given {
		found, err := o.read(ctx, env)
		if err == nil && found.Address() != address {
			found.Close()
			err = fmt.Errorf("%w: --key-fd %d gives the key of %v, and the account that is to act is %v", keystore.ErrAddressMismatch, o.fd.n, found.Address(), address)
		}
		if err != nil {
			return nil, err
		}
		return found, nil
	}
	store, err := o.keystore.open(env)
	if err != nil {
		return nil, err
	}
	found, err := store.Find(address)
	if err != nil {
		return nil, err
	}
	return o.ofFile(env, store, found), nil
}

// only finds the only account there is: the agent's, where it signs on the chain. Of several a person at the terminal chooses.
func (o *keyOptions) only(ctx context.Context, env *Env, chainID uint64) (*signer.Account, error) {
	if found, err := o.agent(ctx, env, nil, chainID); found != nil || err != nil {
		return found, err
	}
	if o.fd.given {
		return o.read(ctx, env)
	}
	store, err := o.keystore.open(env)
	if err != nil {
		return nil, err
	}
	found, err := store.Default()
	var unnamed *keystore.UnnamedError
	if errors.As(err, &unnamed) && unnamed.Only() != "" && o.passphrase.available(env) == nil {
		return o.ofUnnamed(ctx, env, store, unnamed.Only())
	}
	var several *keystore.SeveralAccountsError
	if env.InTerminal && errors.As(err, &several) {
		found, err = chooseAccount(ctx, env, several.Accounts)
	}
	if err != nil {
		return nil, err
	}
	return o.ofFile(env, store, found), nil
}

func (o *keyOptions) ofFile(env *Env, store *keystore.Store, found accounts.Account) *signer.Account {
	return signer.KeyFile(store, found, o.passphrase.source(env))
}

// ofUnnamed opens a key file that does not name its address: opening it tells.
func (o *keyOptions) ofUnnamed(ctx context.Context, env *Env, store *keystore.Store, path string) (*signer.Account, error) {
	file := accounts.Account{URL: accounts.URL{Scheme: geth.KeyStoreScheme, Path: path}}
	key, err := store.Unlock(ctx, file, o.passphrase.source(env))
	if err != nil {
		return nil, err
	}
	return signer.Opened(key, path), nil
}

// errKeyInput is returned when what a descriptor gives is no key.
var errKeyInput = errors.New("no key to sign with")

// maxRawKey bounds what is read from a descriptor, in bytes: a key's digits with 0x and
// some white space around.
const maxRawKey = 128

// read reads the key behind the descriptor to its end.
func (o *keyOptions) read(ctx context.Context, env *Env) (*signer.Account, error) {
	if term.IsTerminal(o.fd.n) {
		return nil, usagef("--key-fd %d is a terminal, which would show the key: give it a pipe or a file, as in --key-fd 3 3<key", o.fd.n)
	}
	in, err := env.OpenFD(ctx, o.fd.n)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("descriptor %d", o.fd.n)
	text, err := readSecret(in, name, maxRawKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKeyInput, err)
	}
	defer clear(text)
	key, err := keystore.NewRawSigner(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errKeyInput, name, err)
	}
	return signer.Opened(key, ""), nil
}
