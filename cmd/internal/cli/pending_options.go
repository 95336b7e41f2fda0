package cli

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/wallet"
)

// PendingOptions are what the user agrees to about an account's other transactions, when
// one is sent.
type PendingOptions struct {
	withPending    bool
	replaceUnknown bool
}

// Register adds the flags to a command.
func (o *PendingOptions) Register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.withPending, "with-pending", false, "send although earlier transactions of the account are pending, and resend those that the node has lost")
	cmd.Flags().BoolVar(&o.replaceUnknown, "replace-unknown", false, "send although the node has pending transactions that pmctl did not sign; this one may replace one of them")
	dialect.InGroup(cmd, dialect.TransactionFlags, "with-pending", "replace-unknown")
}

// Terms are what the flags agree to.
func (o *PendingOptions) Terms() wallet.Terms {
	return wallet.Terms{WithPending: o.withPending, ReplaceUnknown: o.replaceUnknown}
}

// RegisterCancelsUnlock is for commands that may fund the account itself, by which the
// contract cancels an unlock.
func RegisterCancelsUnlock(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "cancel-unlock", false, "fund even if that cancels an unlock in progress")
}
