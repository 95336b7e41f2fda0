package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
)

// PassphraseOptions say where a passphrase comes from: that of an account, or, as
// IsNew, the one that an account is to get.
type PassphraseOptions struct {
	IsNew bool
	File  string
	FD    Descriptor
	// passedOver is why no agent is used that would need no passphrase; nil where there is none.
	passedOver error
}

// Register adds the flags to a command.
func (o *PassphraseOptions) Register(cmd *cobra.Command) {
	name, what, elsewhere := o.name(), "the passphrase", " (default $ETH_PASSWORD)"
	if o.IsNew {
		what, elsewhere = "the new passphrase", ""
	}
	cmd.Flags().StringVar(&o.File, name+"-file", "", "read "+what+" from `FILE`, which only you may read"+elsewhere)
	cmd.Flags().Var(&o.FD, name+"-fd", "read "+what+" from file descriptor `N`")
	dialect.InGroup(cmd, dialect.AccountFlags, name+"-file", name+"-fd")
	dialect.Relate(cmd, dialect.Exclusive, name+"-file", name+"-fd")
}

// name is what its flags begin with.
func (o *PassphraseOptions) name() string {
	if o.IsNew {
		return "new-passphrase"
	}
	return "passphrase"
}

// Descriptor is a flag whose value is the number of a file descriptor.
type Descriptor struct {
	Given bool
	N     int

	// inherited is false for a number under which the caller passed on nothing. It is looked at when the flag is
	// read: later a file of pmctl's own can have the number.
	inherited bool
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
	*d = Descriptor{Given: true, N: int(n), inherited: inherited(int(n))}
	return nil
}

// Check fails with a usage error if the caller passed on nothing under the number that is given.
func (d Descriptor) Check() error {
	if d.Given && !d.inherited {
		return Usagef("file descriptor %d is not open; a shell opens it with %[1]d<FILE", d.N)
	}
	return nil
}

// Is reports whether the descriptor is given, as n.
func (d Descriptor) Is(n int) bool { return d.Given && d.N == n }

// Given reports whether the command line says where the passphrase comes from.
func (o *PassphraseOptions) Given() bool { return o.File != "" || o.FD.Given }

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

// NewSource is Source for a passphrase that is to be set: a person types it twice, but for an empty
// one, which is refused.
func (o *PassphraseOptions) NewSource(env *Env) keystore.PassphraseSource {
	return o.sourceOr(env, func(ctx context.Context, question string) ([]byte, error) {
		first, err := env.Prompter.Secret(ctx, question)
		if err != nil || len(first) == 0 {
			return first, err
		}
		second, err := env.Prompter.Secret(ctx, "Repeat passphrase")
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

// Available fails unless there is a terminal or a source for the passphrase,
// so that a command fails before it opens a key.
func (o *PassphraseOptions) Available(env *Env) error {
	if o.FD.Given || o.Path(env) != "" || env.InTerminal {
		return nil
	}
	if o.IsNew {
		return WithHint(errNoPassphrase, "pass --new-passphrase-file FILE or --new-passphrase-fd N")
	}
	err, restart := errNoPassphrase, ""
	if o.passedOver != nil {
		err = fmt.Errorf("%w; the agent is not used: %v", err, o.passedOver)
	}
	if errors.Is(o.passedOver, agent.ErrLocked) {
		restart = "start a new agent with pmctl agent start, or "
	}
	return WithHint(err, "%spass --passphrase-file FILE or --passphrase-fd N, or set ETH_PASSWORD to the path of a file", restart)
}

// sourceOr is the source that the options name, or else ask, which asks a person.
func (o *PassphraseOptions) sourceOr(env *Env, ask keystore.PassphraseSource) keystore.PassphraseSource {
	file := o.Path(env)
	return func(ctx context.Context, question string) ([]byte, error) {
		switch {
		case o.FD.Given:
			if err := o.FD.Check(); err != nil {
				return nil, err
			}
			f, err := env.OpenFD(ctx, o.FD.N)
			if err != nil {
				return nil, err
			}
			return keystore.PassphraseReader(f)(ctx, question)
		case file != "":
			passphrase, err := keystore.PassphraseFile(file, env.Getenv("CREDENTIALS_DIRECTORY"))(ctx, question)
			return passphrase, o.refused(err)
		}
		if err := o.Available(env); err != nil {
			return nil, err
		}
		return ask(ctx, question)
	}
}

// refused says why the file of a passphrase is not used. What a variable has instead of a path may
// be the passphrase itself, and is not shown.
func (o *PassphraseOptions) refused(err error) error {
	if readable, ok := errors.AsType[*keystore.ReadableError](err); ok {
		return WithHint(err, "%s; if its mode cannot be changed (a Docker or Kubernetes secret), pass --%s-fd 3 3<'%s'", readable.Hint(), o.name(), readable.Path)
	}
	unread, ok := errors.AsType[*fs.PathError](err)
	if ok && o.File == "" && !filepath.IsAbs(unread.Path) {
		return WithHint(fmt.Errorf("%w: the value of ETH_PASSWORD is not the path of a file: %w", keystore.ErrPassphraseFile, unread.Err),
			"set ETH_PASSWORD to the path of a file that contains the passphrase, not to the passphrase")
	}
	if ok {
		err = fmt.Errorf("%w: %w", keystore.ErrPassphraseFile, unread)
	}
	if o.File == "" && errors.Is(err, keystore.ErrPassphraseFile) {
		err = WithHint(err, "ETH_PASSWORD names this file: correct it, or pass --%s-file FILE", o.name())
	}
	return err
}

// SameInput refuses two passphrases from one descriptor, which ends with the first.
func SameInput(current, next *PassphraseOptions) error {
	if current.FD.Given && current.FD == next.FD {
		return Usagef("--passphrase-fd and --new-passphrase-fd are both %d: each needs a descriptor of its own", next.FD.N)
	}
	return nil
}

var (
	// errNoPassphrase is returned when a passphrase is needed and there is no terminal to
	// type it at.
	errNoPassphrase = hint.Kind(wallet.ClassLocked, errors.New("a passphrase is needed, and there is no terminal to ask for it"))
	// errPassphrasesDiffer is returned when a new passphrase was typed in two ways.
	errPassphrasesDiffer = errors.New("the passphrases do not match; nothing was changed")
)
