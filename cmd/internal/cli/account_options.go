package cli

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

// KeystoreOptions say where the key files are.
type KeystoreOptions struct{ Path string }

func (o *KeystoreOptions) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.Path, "keystore", "", "folder of key files, or one key file, at `PATH` (default $ETH_KEYSTORE, else pmctl's own folder)")
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
	if err != nil || path != "" {
		return path, from, err
	}
	dir, err := env.dataDir()
	return filepath.Join(dir, "keystore"), from, err
}

// PassphraseOptions say where a passphrase comes from: that of an account, or, as
// IsNew, the one that an account is to get.
type PassphraseOptions struct {
	IsNew bool
	File  string
	Fd    Descriptor
}

func (o *PassphraseOptions) Register(cmd *cobra.Command) {
	name, what, elsewhere := "passphrase", "the passphrase", " (default $ETH_PASSWORD)"
	if o.IsNew {
		name, what, elsewhere = "new-passphrase", "the new passphrase", ""
	}
	cmd.Flags().StringVar(&o.File, name+"-file", "", "`FILE` that holds "+what+", readable by you alone"+elsewhere)
	cmd.Flags().Var(&o.Fd, name+"-fd", "read "+what+" from the open file descriptor `N`")
	cmd.MarkFlagsMutuallyExclusive(name+"-file", name+"-fd")
}

// Descriptor is a flag whose value is the number of a file descriptor.
type Descriptor struct {
	Given bool
	N     int
}

func (d *Descriptor) Type() string { return "descriptor" }

func (d *Descriptor) String() string {
	if !d.Given {
		return ""
	}
	return strconv.Itoa(d.N)
}

func (d *Descriptor) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return errors.New("must be the number of an open file descriptor, such as 3")
	}
	*d = Descriptor{Given: true, N: int(n)}
	return nil
}

func (d Descriptor) Is(n int) bool { return d.Given && d.N == n }

// Given tells whether the command line says where the passphrase comes from.
func (o *PassphraseOptions) Given() bool { return o.File != "" || o.Fd.Given }

// Path is the file that the passphrase comes from, "" when it comes from elsewhere.
func (o *PassphraseOptions) Path(env *Env) string {
	if o.IsNew || o.Given() {
		return o.File
	}
	return env.Getenv("ETH_PASSWORD")
}

// Source is where the passphrase comes from: a descriptor, a file, or the person
// at the terminal.
func (o *PassphraseOptions) Source(env *Env) keystore.PassphraseSource {
	return o.sourceOr(env, func(ctx context.Context, question string) ([]byte, error) {
		return env.Prompter.Secret(ctx, question)
	})
}

// NewSource is source for a passphrase that is to be set: a person types it twice.
func (o *PassphraseOptions) NewSource(env *Env) keystore.PassphraseSource {
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

// Available tells whether there is anybody or anything to get the passphrase from,
// so that a command need not open a key to find out that it cannot go on.
func (o *PassphraseOptions) Available(env *Env) error {
	if o.Fd.Given || o.Path(env) != "" || env.InTerminal {
		return nil
	}
	if o.IsNew {
		return WithHint(errNoPassphrase, "say --new-passphrase-file FILE or --new-passphrase-fd N")
	}
	return WithHint(errNoPassphrase, "say --passphrase-file FILE or --passphrase-fd N, or set ETH_PASSWORD to a file's path")
}

// sourceOr is the source that the options name, or else ask, which asks a person.
func (o *PassphraseOptions) sourceOr(env *Env, ask keystore.PassphraseSource) keystore.PassphraseSource {
	file := o.Path(env)
	return func(ctx context.Context, question string) ([]byte, error) {
		switch {
		case o.Fd.Given:
			f, err := env.OpenFD(ctx, o.Fd.N)
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
		if err := o.Available(env); err != nil {
			return nil, err
		}
		return ask(ctx, question)
	}
}

// SameInput refuses two passphrases from one descriptor, which ends with the first.
func SameInput(current, next *PassphraseOptions) error {
	if current.Fd.Given && current.Fd == next.Fd {
		return Usagef("--passphrase-fd and --new-passphrase-fd are both %d: each needs a descriptor of its own", next.Fd.N)
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

// AccountOptions choose the account that acts, and open it.
type AccountOptions struct {
	Keys KeyOptions
	From string
}

func (o *AccountOptions) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.From, "from", "", "`ADDRESS` of the account that acts (default $ETH_FROM, else the only one there is)")
	o.Keys.Register(cmd)
}

// Account finds the account that acts: the one that is named, else the only one.
// An agent that signs for it on the chain comes before its key; chain id 0 is for none.
func (o *AccountOptions) Account(ctx context.Context, env *Env, chainID uint64) (*signer.Account, error) {
	from, err := o.Named(env)
	if err != nil {
		return nil, err
	}
	if from == "" {
		return o.Keys.Only(ctx, env, chainID)
	}
	address, err := o.Parse(from)
	if err != nil {
		return nil, err
	}
	found, err := o.Keys.Find(ctx, env, address, chainID)
	if errors.Is(err, keystore.ErrAddressMismatch) {
		err = WithHint(err, "give that account's key, or say --from with the address of the key's own account")
	}
	return found, err
}

// Named is the account that the user names, "" when there is none to name.
func (o *AccountOptions) Named(env *Env) (string, error) {
	from, _, err := env.Find(o.From, SettingFrom())
	return from, err
}

func (o *AccountOptions) Parse(from string) (common.Address, error) {
	if o.From != "" {
		return ParseAddress("--from", from)
	}
	return ParseAddress("ETH_FROM", from)
}

// Address is the account that acts, where its key is not needed: it need not be in the
// keystore.
func (o *AccountOptions) Address(ctx context.Context, env *Env) (common.Address, error) {
	from, err := o.Named(env)
	if err != nil {
		return common.Address{}, err
	}
	if from != "" {
		return o.Parse(from)
	}
	found, err := o.Keys.Only(ctx, env, 0)
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

// ParseAddress reads an address that the user wrote. When its letters are in
// mixed case they are a checksum, which must be right.
func ParseAddress(name, text string) (common.Address, error) {
	address, err := format.ParseAddress(text)
	if errors.Is(err, format.ErrLooksLikeKey) {
		return address, Usagef("%s: %w; a command line is no secret, so that key must count as known to others", name, err)
	}
	if err != nil {
		return address, Usage(fmt.Errorf("%s: %w", name, err))
	}
	return address, nil
}

// StatusAddress is the address on the command line, or the user's account.
func StatusAddress(ctx context.Context, env *Env, account *AccountOptions, args []string) (common.Address, error) {
	if len(args) == 1 {
		return ParseAddress("ADDRESS", args[0])
	}
	return account.Address(ctx, env)
}
