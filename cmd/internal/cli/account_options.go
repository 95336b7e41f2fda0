package cli

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet/signer"
)

// AccountOptions choose the account that acts, and open it.
type AccountOptions struct {
	Keys KeyOptions
	From string
}

// Register adds the flags to a command.
func (o *AccountOptions) Register(cmd *cobra.Command) {
	o.RegisterFrom(cmd, "`ADDRESS` of the account to use (default $ETH_FROM, else the only one)")
	o.Keys.Register(cmd)
}

// RegisterFrom is Register for the account's address alone.
func (o *AccountOptions) RegisterFrom(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&o.From, "from", "", usage)
	dialect.InGroup(cmd, dialect.AccountFlags, "from")
}

// Account finds the account that acts: the one that is named, else the only one.
// An agent that signs for it on the chain comes before its key; chain ID 0 is for none.
func (o *AccountOptions) Account(ctx context.Context, env *Env, chainID uint64) (*signer.Account, error) {
	named, err := o.Named(env)
	if err != nil {
		return nil, err
	}
	found, err := o.Keys.Find(ctx, env, named, chainID)
	if errors.Is(err, keystore.ErrAddressMismatch) {
		err = WithHint(err, "pass that account's key, or --from with the address of this key")
	}
	return found, err
}

// Named is the account that the user names, nil if there is none.
func (o *AccountOptions) Named(env *Env) (*common.Address, error) {
	text, from, err := env.Find(o.From, SettingFrom())
	if err != nil || text == "" {
		return nil, err
	}
	address, err := ParseAddress(from, text)
	return &address, err
}

// Address is the account that acts, where its key is not needed: it need not be in the
// keystore.
func (o *AccountOptions) Address(ctx context.Context, env *Env) (common.Address, error) {
	if named, err := o.Named(env); err != nil {
		return common.Address{}, err
	} else if named != nil {
		return *named, nil
	}
	found, err := o.Keys.Find(ctx, env, nil, 0)
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
