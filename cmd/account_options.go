package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/signer"
)

// keystoreOptions say where the key files are.
type keystoreOptions struct{ path string }

func (o *keystoreOptions) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.path, "keystore", "", "folder of key files, or one key file, at `PATH` (default $ETH_KEYSTORE, else pmctl's own folder)")
}

// open returns the key files' store: the flag's, ETH_KEYSTORE's, or pmctl's own.
func (o *keystoreOptions) open(env *Env) (*keystore.Store, error) {
	path, _, err := o.locate(env)
	if err != nil {
		return nil, err
	}
	return keystore.Open(path), nil
}

// locate returns where the key files are, and what says so.
func (o *keystoreOptions) locate(env *Env) (path, from string, err error) {
	path, from, err = env.find(o.path, settingKeystore())
	if err != nil || path != "" {
		return path, from, err
	}
	dir, err := env.dataDir()
	return filepath.Join(dir, "keystore"), from, err
}

// passphraseOptions say where a passphrase comes from: that of an account, or, as
// isNew, the one that an account is to get.
type passphraseOptions struct {
	isNew bool
	file  string
	fd    descriptor
}

func (o *passphraseOptions) register(cmd *cobra.Command) {
	name, what, elsewhere := "passphrase", "the passphrase", " (default $ETH_PASSWORD)"
	if o.isNew {
		name, what, elsewhere = "new-passphrase", "the new passphrase", ""
	}
	cmd.Flags().StringVar(&o.file, name+"-file", "", "`FILE` that holds "+what+", readable by you alone"+elsewhere)
	cmd.Flags().Var(&o.fd, name+"-fd", "read "+what+" from the open file descriptor `N`")
	cmd.MarkFlagsMutuallyExclusive(name+"-file", name+"-fd")
}

// descriptor is a flag whose value is the number of a file descriptor.
type descriptor struct {
	given bool
	n     int
}

func (d *descriptor) Type() string { return "descriptor" }

func (d *descriptor) String() string {
	if !d.given {
		return ""
	}
	return strconv.Itoa(d.n)
}

func (d *descriptor) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return errors.New("must be the number of an open file descriptor, such as 3")
	}
	*d = descriptor{given: true, n: int(n)}
	return nil
}

func (d descriptor) is(n int) bool { return d.given && d.n == n }

// given tells whether the command line says where the passphrase comes from.
func (o *passphraseOptions) given() bool { return o.file != "" || o.fd.given }

// path is the file that the passphrase comes from, "" when it comes from elsewhere.
func (o *passphraseOptions) path(env *Env) string {
	if o.isNew || o.given() {
		return o.file
	}
	return env.Getenv("ETH_PASSWORD")
}

// source is where the passphrase comes from: a descriptor, a file, or the person
// at the terminal.
func (o *passphraseOptions) source(env *Env) keystore.PassphraseSource {
	return o.sourceOr(env, func(ctx context.Context, question string) ([]byte, error) {
		return env.Prompter.Secret(ctx, question)
	})
}

// newSource is source for a passphrase that is to be set: a person types it twice.
func (o *passphraseOptions) newSource(env *Env) keystore.PassphraseSource {
	return o.sourceOr(env, func(ctx context.Context, question string) ([]byte, error) {
		first, err := env.Prompter.Secret(ctx, question)
		if err != nil {
			return nil, err
		}
		second, err := env.Prompter.Secret(ctx, "The same again")
		defer clear(second)
		if err == nil && !bytes.Equal(first, second) {
			err = errPassphrasesDiffer
		}
		if err != nil {
			clear(first)
			return nil, err
		}
		return first, nil
	})
}

// available tells whether there is anybody or anything to get the passphrase from,
// so that a command need not open a key to find out that it cannot go on.
func (o *passphraseOptions) available(env *Env) error {
	if o.fd.given || o.path(env) != "" || env.InTerminal {
		return nil
	}
	if o.isNew {
		return withHint(errNoPassphrase, "say --new-passphrase-file FILE or --new-passphrase-fd N")
	}
	return withHint(errNoPassphrase, "say --passphrase-file FILE or --passphrase-fd N, or set ETH_PASSWORD to a file's path")
}

// sourceOr is the source that the options name, or else ask, which asks a person.
func (o *passphraseOptions) sourceOr(env *Env, ask keystore.PassphraseSource) keystore.PassphraseSource {
	file := o.path(env)
	return func(ctx context.Context, question string) ([]byte, error) {
		switch {
		case o.fd.given:
			f, err := env.OpenFD(ctx, o.fd.n)
			if err != nil {
				return nil, err
			}
			return keystore.PassphraseReader(f)(ctx, question)
		case file != "":
			passphrase, err := keystore.PassphraseFile(file, env.Getenv("CREDENTIALS_DIRECTORY"))(ctx, question)
			var unread *fs.PathError
			if errors.As(err, &unread) {
				err = fmt.Errorf("%w: %w", keystore.ErrPassphraseFile, unread)
			}
			return passphrase, err
		}
		if err := o.available(env); err != nil {
			return nil, err
		}
		return ask(ctx, question)
	}
}

// sameInput refuses two passphrases from one descriptor, which ends with the first.
func sameInput(current, next *passphraseOptions) error {
	if current.fd.given && current.fd == next.fd {
		return usagef("--passphrase-fd and --new-passphrase-fd are both %d: each needs a descriptor of its own", next.fd.n)
	}
	return nil
}

var (
	// errNoPassphrase is returned when a passphrase is needed and nobody is there
	// to type it.
	errNoPassphrase = errors.New("a passphrase is needed and there is no terminal to ask for it at")
	// errPassphrasesDiffer is returned when a new passphrase was typed in two ways.
	errPassphrasesDiffer = errors.New("the two passphrases differ: nothing was done")
)

// accountOptions choose the account that acts, and open it.
type accountOptions struct {
	keys keyOptions
	from string
}

func (o *accountOptions) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.from, "from", "", "`ADDRESS` of the account that acts (default $ETH_FROM, else the only one there is)")
	o.keys.register(cmd)
}

// account finds the account that acts: the one that is named, else the only one.
// An agent that signs for it on the chain comes before its key; chain id 0 is for none.
func (o *accountOptions) account(ctx context.Context, env *Env, chainID uint64) (*signer.Account, error) {
	from, err := o.named(env)
	if err != nil {
		return nil, err
	}
	if from == "" {
		return o.keys.only(ctx, env, chainID)
	}
	address, err := o.parse(from)
	if err != nil {
		return nil, err
	}
	found, err := o.keys.find(ctx, env, address, chainID)
	if errors.Is(err, keystore.ErrAddressMismatch) {
		err = withHint(err, "give that account's key, or say --from with the address of the key's own account")
	}
	return found, err
}

// named is the account that the user names, "" when there is none to name.
func (o *accountOptions) named(env *Env) (string, error) {
	from, _, err := env.find(o.from, settingFrom())
	return from, err
}

func (o *accountOptions) parse(from string) (common.Address, error) {
	if o.from != "" {
		return parseAddress("--from", from)
	}
	return parseAddress("ETH_FROM", from)
}

// address is the account that acts, where its key is not needed: it need not be in the
// keystore.
func (o *accountOptions) address(ctx context.Context, env *Env) (common.Address, error) {
	from, err := o.named(env)
	if err != nil {
		return common.Address{}, err
	}
	if from != "" {
		return o.parse(from)
	}
	found, err := o.keys.only(ctx, env, 0)
	if err != nil {
		return common.Address{}, err
	}
	defer found.Close()
	return found.Address(), nil
}

func chooseAccount(ctx context.Context, env *Env, all []accounts.Account) (accounts.Account, error) {
	addresses := make([]string, len(all))
	for i, account := range all {
		addresses[i] = account.Address.Hex()
	}
	i, err := env.Prompter.Select(ctx, "Which account", addresses)
	if err != nil {
		return accounts.Account{}, err
	}
	return all[i], nil
}

// parseAddress reads an address that the user wrote. When its letters are in
// mixed case they are a checksum, which must be right.
func parseAddress(name, text string) (common.Address, error) {
	address, err := format.ParseAddress(text)
	if errors.Is(err, format.ErrLooksLikeKey) {
		return address, usagef("%s: %w; a command line is no secret, so that key must count as known to others", name, err)
	}
	if err != nil {
		return address, &usageError{fmt.Errorf("%s: %w", name, err)}
	}
	return address, nil
}

// statusAddress is the address on the command line, or the user's account.
func statusAddress(ctx context.Context, env *Env, account *accountOptions, args []string) (common.Address, error) {
	if len(args) == 1 {
		return parseAddress("ADDRESS", args[0])
	}
	return account.address(ctx, env)
}
