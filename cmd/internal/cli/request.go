package cli

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
)

// RequestOption names what is asked for, so that a retry is no second request.
type RequestOption struct{ ID string }

// Register adds the flags to a command.
func (o *RequestOption) Register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.ID, "request-id", "", "`ID` that makes a retry safe: the same ID never creates "+what+" twice")
}

// Check fails for an ID that was given and that no request can have.
func (o *RequestOption) Check(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("request-id") {
		return nil
	}
	return wallet.CheckRequestID(o.ID)
}
