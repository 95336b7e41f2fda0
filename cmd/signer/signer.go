// Package signer has the commands of the remote signer: the server, its clients.
package signer

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
)

// NewSigner is pmctl signer.
func NewSigner(r *cli.Run) *cobra.Command {
	return cli.Group("signer", "Sign payments for gateways and SDKs that hold no key",
		newServe(r),
		newClient(r),
		newUsage(r),
	)
}
