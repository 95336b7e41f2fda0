// Package account has the commands about accounts and their key files.
package account

import (
	"errors"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/keystore"
)

// NewAccount is everything about accounts and their key files.
func NewAccount(r *cli.Run) *cobra.Command {
	return cli.Group("account", "Create, import, export and list accounts",
		newAccountNew(r),
		newAccountList(r),
		newAccountShow(r),
		newAccountImport(r),
		newAccountExport(r),
		newAccountPasswd(r),
	)
}

type accountResult struct {
	Address string `json:"address"`
	Path    string `json:"path"`
}

func resultOf(account accounts.Account) accountResult {
	return accountResult{account.Address.Hex(), account.URL.Path}
}

func emitAccount(r *cli.Run, account accounts.Account) error {
	result := resultOf(account)
	cli.FailBrokenPipes()
	err := r.Emit("pmctl.account", result, func(w *page.Page) {
		w.Fields([]page.Field{{"address", result.Address}, {"key file", result.Path}})
	})
	return cli.WithHint(err, "it is done all the same: the key of %s is in %s", result.Address, result.Path)
}

// keyFileOptions say where key files are, what opens one, and how it is encrypted.
type keyFileOptions struct {
	keys             cli.KeystoreOptions
	passphrase, next cli.PassphraseOptions
	light            bool
}

func (o *keyFileOptions) register(cmd *cobra.Command) {
	o.keys.Register(cmd)
	o.passphrase.Register(cmd)
	cmd.Flags().BoolVar(&o.light, "lightkdf", false, "use 4 MiB instead of 256 MiB of memory to derive the key: faster to open, easier to guess")
}

// registerNext is register for a command that also takes a new passphrase.
func (o *keyFileOptions) registerNext(cmd *cobra.Command) {
	o.register(cmd)
	o.next.IsNew = true
	o.next.Register(cmd)
}

func (o *keyFileOptions) strength() keystore.Strength {
	if o.light {
		return keystore.Light
	}
	return keystore.Standard
}

// chooseAccount finds the account that the command line names as its argument, or
// else the one that every other command uses.
func chooseAccount(r *cli.Run, keys *cli.KeystoreOptions, args []string) (*keystore.Store, accounts.Account, error) {
	store, err := keys.Open(r.Env)
	if err != nil {
		return nil, accounts.Account{}, err
	}
	var named *common.Address
	if len(args) == 0 {
		named, err = new(cli.AccountOptions).Named(r.Env)
	} else {
		named = new(common.Address)
		*named, err = cli.ParseAddress("ADDRESS", args[0])
	}
	var account accounts.Account
	switch {
	case err != nil:
	case named == nil:
		account, err = store.Default()
	default:
		account, err = store.Find(*named)
	}
	if errors.As(err, new(*keystore.SeveralAccountsError)) || errors.Is(err, keystore.ErrNoSuchAccount) {
		err = cli.WithHint(err, "name one as the command's argument, or in ETH_FROM; pmctl account list shows them")
	}
	return store, account, err
}

func newAccountNew(r *cli.Run) *cobra.Command {
	var o keyFileOptions
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Create an account",
		Long: `Create an account: a new private key, encrypted with a passphrase, in a key file
of its own. go-ethereum and go-livepeer read the file as it is (Web3 Secret
Storage, version 3).

Back up the key file and the passphrase. Without both, the funds of the account
are lost.`,
		Example: `  pmctl account new
  pmctl account new --passphrase-file ~/.config/pmctl/passphrase -o json`,
	}
	o.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		store, err := o.keys.Open(r.Env)
		if err != nil {
			return err
		}
		account, err := store.New(cmd.Context(), o.passphrase.NewSource(r.Env), o.strength())
		if err != nil {
			return err
		}
		if err := emitAccount(r, account); err != nil {
			return err
		}
		if !o.passphrase.FD.Given && o.passphrase.Path(r.Env) == "" {
			cli.SameAgain(r, cmd, nil, "--passphrase-file", "FILE")
		}
		return nil
	}
	return cmd
}

func newAccountPasswd(r *cli.Run) *cobra.Command {
	var o keyFileOptions
	cmd := &cobra.Command{
		Use:   "passwd [ADDRESS]",
		Short: "Change an account's passphrase",
		Long: `Change the passphrase of an account. pmctl writes the new key file, reads it
back and opens it, and only then replaces the old one, in one step. Copies of
the old file still open with the old passphrase.`,
		Example: `  pmctl account passwd
  pmctl account passwd 0x… --passphrase-file old --new-passphrase-file new`,
	}
	o.registerNext(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := cli.SameInput(&o.passphrase, &o.next); err != nil {
			return err
		}
		store, account, err := chooseAccount(r, &o.keys, args)
		if err != nil {
			return err
		}
		if err := o.next.Available(r.Env); err != nil {
			return err
		}
		if err := store.ChangePassphrase(cmd.Context(), account, o.passphrase.Source(r.Env), o.next.NewSource(r.Env), o.strength()); err != nil {
			return err
		}
		return emitAccount(r, account)
	}
	return cmd
}
