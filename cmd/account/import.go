package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/access"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/internal/secret"
	"github.com/pmctl/pmctl/keystore"
)

// maxKeyInput bounds what is read as a key, in bytes: the length of the largest
// key file that is read.
const maxKeyInput = 64 << 10

func newAccountImport(r *cli.Run) *cobra.Command {
	var o keyFileOptions
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Import a private key or a key file",
		Long: `Import an account from FILE, or from stdin with "-". The input is a private key
as 64 hex digits, or a key file of another wallet (Web3 Secret Storage,
version 3).

A private key is encrypted with the passphrase. A key file is opened with its
passphrase and encrypted again with the same one, or with the one of
--new-passphrase-file or --new-passphrase-fd.

The key is never an argument: other users can see command lines, and shells
record them.`,
		Example: `  pmctl account import ~/backup/UTC--2024-…
  pass show livepeer/key | pmctl account import - --passphrase-file passphrase`,
	}
	o.registerNext(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return importAccount(cmd.Context(), r, &o, args[0])
	}
	return cmd
}

func importAccount(ctx context.Context, r *cli.Run, o *keyFileOptions, file string) error {
	switch {
	case secret.LooksLikeKey(file):
		return cli.WithHint(cli.Usagef("the argument looks like a private key; other users can see command lines, so treat that key as compromised"),
			"make a new account and move the funds there; keys are imported from a file or from stdin")
	case file == "-" && (o.passphrase.FD.Is(0) || o.next.FD.Is(0)):
		return cli.Usagef("stdin cannot give both the key and a passphrase")
	}
	if err := cli.SameInput(&o.passphrase, &o.next); err != nil {
		return err
	}
	store, err := o.keys.Open(r.Env)
	if err != nil {
		return err
	}
	data, err := readKey(ctx, r, file)
	if err != nil {
		return err
	}
	defer clear(data)
	name := file
	if file == "-" {
		name = "stdin"
	}
	signer, source, err := openKey(ctx, r, o, name, data)
	if err != nil {
		return err
	}
	defer signer.Close()
	account, err := store.Import(ctx, signer, source, o.strength())
	if err != nil {
		return err
	}
	noteReadable(r, file, data)
	return emitAccount(r, account)
}

// noteReadable warns of a file that still shows the private key to other users.
func noteReadable(r *cli.Run, file string, data []byte) {
	if file == "-" || keystore.IsKeyFile(data) {
		return
	}
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	if others := access.Others(file, info); others != "" {
		r.Note("warning: %s can be read by %s, and has the private key without a passphrase: delete it, or run chmod 600 %s", file, others, cli.ShellWord(file))
	}
}

// readKey reads what is to be imported. At a terminal stdin is not echoed.
func readKey(ctx context.Context, r *cli.Run, file string) ([]byte, error) {
	if file == "-" && r.InTerminal {
		return r.Prompter.Secret(ctx, "Private key")
	}
	in, name := r.In, "stdin"
	if file != "-" {
		name = file
		if info, err := os.Stat(file); err != nil {
			return nil, err
		} else if info.IsDir() {
			return nil, fmt.Errorf("%s is a folder, not a key; use it as it is with --keystore", file)
		}
		f, err := input.Open(ctx, file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return cli.ReadSecret(in, name, maxKeyInput)
}

// openKey opens what was read, and says which passphrase the account gets.
func openKey(ctx context.Context, r *cli.Run, o *keyFileOptions, name string, data []byte) (*keystore.Signer, keystore.PassphraseSource, error) {
	next := o.next.NewSource(r.Env)
	if !keystore.IsKeyFile(data) {
		signer, err := keystore.NewRawSigner(data)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: neither a private key nor a key file: %w", name, err)
		}
		if !o.next.Given() {
			next = o.passphrase.NewSource(r.Env)
		}
		return signer, next, nil
	}
	// The passphrase that opens the file is asked for once, and kept for the
	// account's own file unless that gets another one.
	current := o.passphrase.Source(r.Env)
	var kept []byte
	signer, err := keystore.UnlockJSON(ctx, data, func(ctx context.Context, _ string) ([]byte, error) {
		passphrase, err := current(ctx, "Passphrase of "+name)
		kept = bytes.Clone(passphrase)
		return passphrase, err
	})
	if err != nil {
		clear(kept)
		err = fmt.Errorf("%s: %w", name, err)
		if errors.Is(err, keystore.ErrWrongPassphrase) {
			err = cli.WithHint(err, "use the passphrase that the key file was encrypted with")
		}
		return nil, nil, err
	}
	if o.next.Given() || len(kept) == 0 && r.InTerminal {
		clear(kept)
		return signer, next, nil
	}
	return signer, func(context.Context, string) ([]byte, error) { return kept, nil }, nil
}
