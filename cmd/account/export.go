package account

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/outfile"
	"github.com/pmctl/pmctl/keystore"
)

// exportOptions say where the account goes, and in which form.
type exportOptions struct {
	keyFileOptions
	out      string
	raw, yes bool
}

func newAccountExport(r *cli.Run) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export [ADDRESS] --out FILE|-",
		Short: "Export an account to a key file",
		Long: `Export an account as a key file with a new passphrase, for a backup or for
another wallet. FILE must not exist; "-" is stdout. The account itself does not
change.

With --raw the file has the unencrypted private key, as 64 hex digits. Anyone
who can read that file owns the account.`,
		Example: `  pmctl account export --out backup.json
  pmctl account export 0x… --raw --yes --out - | age -r age1… > key.age`,
	}
	o.registerNext(cmd)
	cmd.Flags().StringVar(&o.out, "out", "", "write to `FILE`, or to stdout with -")
	cmd.Flags().BoolVar(&o.raw, "raw", false, "write the private key unencrypted")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "skip the confirmation for --raw")
	_ = cmd.MarkFlagRequired("out")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return exportAccount(cmd.Context(), r, &o, args)
	}
	return cmd
}

func exportAccount(ctx context.Context, r *cli.Run, o *exportOptions, args []string) error {
	if o.out == "-" {
		if err := cli.RefuseFilter(r, "--out -"); err != nil {
			return err // a key is no document
		}
	}
	if err := o.check(r.Env); err != nil {
		return err
	}
	store, account, err := chooseAccount(r, &o.keys, args)
	if err != nil {
		return err
	}
	if o.raw {
		place := o.out
		if place == "-" {
			place = "stdout"
		}
		question := fmt.Sprintf("Write the unprotected private key of %s to %s?", account.Address.Hex(), place)
		if err := r.Confirm(ctx, o.yes, question); err != nil {
			return err
		}
	}
	signer, err := store.Unlock(ctx, account, o.passphrase.Source(r.Env))
	if err != nil {
		return err
	}
	defer signer.Close()
	next := o.next.NewSource(r.Env)
	switch {
	case o.out == "-":
		return writeKey(ctx, r, o, signer, next)
	case o.raw:
		err = signer.WriteRawKey(o.out)
	default:
		err = signer.WriteKeyFile(ctx, o.out, next, o.strength())
	}
	if err != nil {
		return err
	}
	account.URL.Path = o.out
	return emitAccount(r, account)
}

// check refuses what cannot be done before the prompt for a passphrase.
func (o *exportOptions) check(env *cli.Env) error {
	switch {
	case o.raw && o.next.Given():
		return cli.Usagef("a raw key has no passphrase: leave out --new-passphrase-file and --new-passphrase-fd, or --raw")
	case o.raw && o.out == "-" && env.OutTerminal:
		return cli.Usagef("a private key is not printed on a terminal: name a file with --out, or pipe the output")
	}
	if err := cli.SameInput(&o.passphrase, &o.next); err != nil {
		return err
	}
	if _, err := os.Lstat(o.out); err == nil && o.out != "-" {
		return outfile.Exists("--out", o.out)
	}
	if o.raw {
		return nil
	}
	return o.next.Available(env)
}

func writeKey(ctx context.Context, r *cli.Run, o *exportOptions, signer *keystore.Signer, next keystore.PassphraseSource) error {
	var data []byte
	var err error
	if o.raw {
		data, err = signer.RawKey()
	} else {
		var passphrase []byte
		if passphrase, err = next(ctx, "New passphrase of the exported key"); err != nil {
			return err
		}
		defer clear(passphrase)
		data, err = signer.KeyFile(passphrase, o.strength())
	}
	if err != nil {
		return err
	}
	data = append(data, '\n')
	defer clear(data)
	_, err = r.Out.Write(data)
	return err
}
