package cli

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
)

// RegisterContracts is for commands that sign or send.
func (o *NetworkOptions) RegisterContracts(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.acceptContracts, "accept-contracts", false,
		"accept other contracts than those that were first seen on this network, and pin them in their place; those of "+wallet.ArbitrumOne+" never change")
}
