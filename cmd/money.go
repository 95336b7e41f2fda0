package cmd

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
)

// markMoney keeps what moves money, or agrees to it, out of the suggestions for typing
// errors.
func markMoney(root *cobra.Command) {
	dialect.MarkMoney(root,
		[]string{
			"pay", "call", "ticket batch", "ticket deliver", "ticket redeem",
			"fund", "fund auto", "unlock", "unlock cancel", "withdraw", "exit",
			"tx bump", "tx cancel", "tx sign", "tx send",
		},
		[]string{
			"deposit", "reserve", "for", "value", "max-cost", "max-price", "count", "keep-deposit", "keep-reserve",
			"yes", "cancel-unlock", "with-pending", "replace-unknown", "accept-contracts",
			"inactive-ok", "adopt", "early", "at-a-loss", "raw",
		})
}
