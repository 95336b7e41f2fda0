package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/accounts"
	geth "github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet/signer"
)

// KeyOptions say where the key of the account that acts is: in a key file, which a
// Passphrase opens, or behind a descriptor.
type KeyOptions struct {
	Keystore   KeystoreOptions
	Passphrase PassphraseOptions
	FD         Descriptor
}

// Register adds the flags to a command.
func (o *KeyOptions) Register(cmd *cobra.Command) {
	o.Keystore.Register(cmd)
	o.Passphrase.Register(cmd)
	o.registerFD(cmd)
}

func (o *KeyOptions) registerFD(cmd *cobra.Command) {
	cmd.Flags().Var(&o.FD, "key-fd", "read the private key (64 hex digits) from file descriptor `N` instead of a key file")
	dialect.InGroup(cmd, dialect.AccountFlags, "key-fd")
	for _, other := range []string{"keystore", "passphrase-file", "passphrase-fd"} {
		if cmd.Flags().Lookup(other) != nil {
			dialect.Relate(cmd, dialect.Exclusive, "key-fd", other)
		}
	}
}

// OnStdin names the flag that reads a secret from stdin, "" when none does.
func (o *KeyOptions) OnStdin() string {
	switch {
	case o.FD.Is(0):
		return "--key-fd"
	case o.Passphrase.FD.Is(0):
		return "--passphrase-fd"
	}
	return ""
}

// Available fails unless there is a terminal or a source that can open a key.
func (o *KeyOptions) Available(env *Env) error {
	if o.FD.Given {
		return nil
	}
	return o.Passphrase.Available(env)
}

// Unattended reports whether a key that no agent has is opened without asking a person.
func (o *KeyOptions) Unattended(env *Env) bool {
	return o.FD.Given || o.Passphrase.Given() || o.Passphrase.Path(env) != ""
}

// Find finds the account of an address, nil for the only account there is: in the agent where that
// signs for it on the chain, 0 for no agent. A key behind a descriptor, which can be read once, is
// read here, and must be that account's. Of several accounts a person at the terminal chooses.
func (o *KeyOptions) Find(ctx context.Context, env *Env, want *common.Address, chainID uint64) (*signer.Account, error) {
	if found, err := o.Agent(ctx, env, want, chainID); found != nil || err != nil {
		return found, err
	}
	if o.FD.Given {
		found, err := o.read(ctx, env)
		if err == nil && want != nil && found.Address() != *want {
			found.Close()
			return nil, fmt.Errorf("%w: --key-fd %d is the key of %v, but the account is %v", keystore.ErrAddressMismatch, o.FD.N, found.Address(), *want)
		}
		return found, err
	}
	store, err := o.Keystore.Open(env)
	if err != nil {
		return nil, err
	}
	var found accounts.Account
	if want != nil {
		found, err = store.Find(*want)
	} else {
		found, err = store.Default()
		if unnamed, ok := errors.AsType[*keystore.UnnamedError](err); ok && unnamed.Only() != "" && o.Passphrase.Available(env) == nil {
			return o.ofUnnamed(ctx, env, store, unnamed.Only())
		}
		if several, ok := errors.AsType[*keystore.SeveralAccountsError](err); ok && env.InTerminal {
			found, err = chooseAccount(ctx, env, several.Accounts)
		}
	}
	if err != nil {
		return nil, err
	}
	return signer.KeyFile(store, found, o.Passphrase.Source(env)), nil
}

// ofUnnamed opens a key file that does not name its address: opening it tells.
func (o *KeyOptions) ofUnnamed(ctx context.Context, env *Env, store *keystore.Store, path string) (*signer.Account, error) {
	file := accounts.Account{URL: accounts.URL{Scheme: geth.KeyStoreScheme, Path: path}}
	key, err := store.Unlock(ctx, file, o.Passphrase.Source(env))
	if err != nil {
		return nil, err
	}
	return signer.Opened(signer.Local{Signer: key}, path), nil
}

// maxRawKey bounds what is read from a descriptor, in bytes: a key's digits with 0x and
// some white space around.
const maxRawKey = 128

// read reads the key behind the descriptor to its end.
func (o *KeyOptions) read(ctx context.Context, env *Env) (*signer.Account, error) {
	if err := o.FD.Check(); err != nil {
		return nil, err
	}
	if term.IsTerminal(o.FD.N) {
		return nil, Usagef("--key-fd %d is a terminal, which would show the key: use a pipe or a file, as in --key-fd 3 3<key", o.FD.N)
	}
	in, err := env.OpenFD(ctx, o.FD.N)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("descriptor %d", o.FD.N)
	text, err := ReadSecret(in, name, maxRawKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKeyInput, err)
	}
	defer clear(text)
	key, err := signer.RawKey(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errKeyInput, name, err)
	}
	return signer.Opened(key, ""), nil
}

// KeystoreOptions say where the key files are.
type KeystoreOptions struct{ Path string }

// Register adds the flags to a command.
func (o *KeystoreOptions) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.Path, "keystore", "", "`PATH` of the keystore folder, or of one key file (default $ETH_KEYSTORE, else pmctl's own folder)")
	dialect.InGroup(cmd, dialect.AccountFlags, "keystore")
}

// Open returns the key files' store: the flag's, ETH_KEYSTORE's, or pmctl's own.
func (o *KeystoreOptions) Open(env *Env) (*keystore.Store, error) {
	path, _, err := o.Locate(env)
	if err != nil {
		return nil, err
	}
	return keystore.Open(path), nil
}

// Locate returns where the key files are, and what says so.
func (o *KeystoreOptions) Locate(env *Env) (path, from string, err error) {
	path, from, err = env.Find(o.Path, SettingKeystore())
	if err == nil && strings.HasPrefix(path, "~") {
		return "", "", WithHint(Usagef("%s: %s begins with ~, which is a home folder only to a shell", from, path),
			"write the path in full, or start a name that begins with ~ with ./")
	}
	if strings.TrimSpace(path) != path {
		return "", "", Usagef("%s: %q begins or ends with white space", from, path)
	}
	if err != nil || path != "" {
		return path, from, err
	}
	dir, err := env.dataDir()
	return filepath.Join(dir, "keystore"), from, err
}
