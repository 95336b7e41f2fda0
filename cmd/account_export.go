package cmd

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/keystore"
)

// exportOptions say where the account goes, and in which form.
type exportOptions struct {
	keys       keystoreOptions
	passphrase passphraseOptions
	next       passphraseOptions
	out        string
	raw, yes   bool
}

func newAccountExport(r *run) *cobra.Command {
	o := &exportOptions{next: passphraseOptions{isNew: true}}
	cmd := &cobra.Command{
		Use:   "export [ADDRESS] --out FILE|-",
		Short: "Export an account to a file of its own",
		Long: `Export an account as a key file under a new passphrase, for a backup or for
another wallet. FILE must not exist yet; "-" is stdout. The account stays.

With --raw the file holds the private key itself, as 64 hex digits: whoever
reads it owns the account.`,
		Example: `  pmctl account export --out backup.json
  pmctl account export 0x… --raw --yes --out - | age -r age1… > key.age`,
		Args: cobra.MaximumNArgs(1),
	}
	o.keys.register(cmd)
	o.passphrase.register(cmd)
	o.next.register(cmd)
	strength := strengthFlag(cmd)
	cmd.Flags().StringVar(&o.out, "out", "", "`FILE` to write, or - for stdout")
	cmd.Flags().BoolVar(&o.raw, "raw", false, "write the unprotected private key")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask before writing an unprotected key")
	_ = cmd.MarkFlagRequired("out")
	r.outputFlag(cmd, outputTable, outputJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return r.exportAccount(cmd.Context(), o, args, strength())
	}
	return cmd
}

func (r *run) exportAccount(ctx context.Context, o *exportOptions, args []string, strength keystore.Strength) error {
	if err := o.check(r.Env); err != nil {
		return err
	}
	store, err := o.keys.open(r.Env)
	if err != nil {
		return err
	}
	account, err := r.chooseAccount(store, args)
	if err != nil {
		return err
	}
	if o.raw {
		question := fmt.Sprintf("Write the unprotected private key of %s to %s?", account.Address.Hex(), o.out)
		if err := r.confirm(ctx, o.yes, question); err != nil {
			return err
		}
	}
	signer, err := store.Unlock(ctx, account, o.passphrase.source(r.Env))
	if err != nil {
		return err
	}
	defer signer.Close()
	next := o.next.newSource(r.Env)
	switch {
	case o.out == "-":
		return r.writeKey(ctx, o, signer, next, strength)
	case o.raw:
		err = signer.WriteRawKey(o.out)
	default:
		err = signer.WriteKeyFile(ctx, o.out, next, strength)
	}
	if err != nil {
		return err
	}
	account.URL.Path = o.out
	return r.emitAccount(account)
}

// check refuses what cannot be done before anybody is asked for a passphrase.
func (o *exportOptions) check(env *Env) error {
	switch {
	case o.out == "":
		return usagef("--out needs a file's name, or - for stdout")
	case o.raw && o.next.given():
		return usagef("a raw key has no passphrase: leave out --new-passphrase-file and --new-passphrase-fd, or --raw")
	case o.raw && o.out == "-" && env.OutTerminal:
		return usagef("a private key is not printed on a terminal: name a file with --out, or pipe the output")
	}
	if err := sameInput(&o.passphrase, &o.next); err != nil {
		return err
	}
	if _, err := os.Lstat(o.out); err == nil && o.out != "-" {
		return existsAlready("--out", o.out)
	}
	if o.raw {
		return nil
	}
	return o.next.available(env)
}

// writeKey writes the exported account to stdout.
func (r *run) writeKey(ctx context.Context, o *exportOptions, signer *keystore.Signer, next keystore.PassphraseSource, strength keystore.Strength) error {
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
		data, err = signer.KeyFile(passphrase, strength)
	}
	if err != nil {
		return err
	}
	data = append(data, '\n')
	defer clear(data)
	_, err = r.Out.Write(data)
	return err
}
