// Package recipient has the commands that find recipients.
package recipient

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
)

// NewRecipient is pmctl recipient.
func NewRecipient(r *cli.Run) *cobra.Command {
	return cli.Group("recipient", "Find recipients; show which address a URL belongs to",
		newRecipientList(r),
		newRecipientShow(r),
	)
}

func newRecipientList(r *cli.Run) *cobra.Command {
	var network cli.NetworkOptions
	var ai bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List active recipients",
		Long: `List the active recipients (orchestrators), in the order of the contract: by
stake, highest first. Tickets pay to the address; the URL is the one that the
recipient set in the service registry. Only the node is asked.

Recipients of AI work set their URL in a second registry: --ai lists those that
did. It need not be the same URL.`,
		Example: `  pmctl recipient list
  pmctl recipient list --ai
  pmctl recipient list --network arbitrum-one-mainnet --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return listRecipients(cmd.Context(), r, &network, ai) },
	}
	cmd.Flags().BoolVar(&ai, "ai", false, "list the recipients in the registry for AI work")
	network.Register(cmd)
	return cmd
}

// recipientEntry is a recipient as the contracts know it.
type recipientEntry struct {
	Address format.Address `json:"recipient"`
	Active  bool           `json:"active"`
	// URL is its entry in the service registry, AIURL that in the registry for AI work,
	// absent when there is none.
	URL   string `json:"registered_url"`
	AIURL string `json:"registered_ai_url,omitempty"`
}

func newRecipientEntry(recipient wallet.Recipient) recipientEntry {
	return recipientEntry{format.Address(recipient.Address), recipient.Active, recipient.ServiceURI, recipient.AIServiceURI}
}

// recipientList is what pmctl recipient list answers.
type recipientList struct {
	Network    string           `json:"network"`
	ChainID    string           `json:"chain_id"`
	Recipients []recipientEntry `json:"recipients"`

	ai bool // the URLs to show are those for AI work
}

func listRecipients(ctx context.Context, r *cli.Run, network *cli.NetworkOptions, ai bool) error {
	config, err := cli.ReadingConfig(r, network)
	if err != nil {
		return err
	}
	pool, err := wallet.Recipients(ctx, config, ai)
	if err != nil {
		return err
	}
	list := recipientList{
		Network:    config.Network.Name,
		ChainID:    fmt.Sprint(config.Network.ChainID),
		Recipients: make([]recipientEntry, len(pool)),
		ai:         ai,
	}
	for i, recipient := range pool {
		list.Recipients[i] = newRecipientEntry(recipient)
	}
	if len(list.Recipients) == 0 && r.Output == cli.OutputTable {
		what := "recipient"
		if ai {
			what = "recipient with a URL for AI work"
		}
		r.Note("no %s is active on %s", what, list.Network)
		return nil
	}
	return cli.EmitList(r, "pmctl.recipients", list, list.write)
}

func (l recipientList) write(w *page.Page) {
	rows := make([][]string, len(l.Recipients))
	for i, entry := range l.Recipients {
		uri := entry.URL
		if l.ai {
			uri = entry.AIURL
		}
		rows[i] = []string{common.Address(entry.Address).Hex(), check.EntryText(uri)}
	}
	w.Table([]page.Column{page.Text("recipient"), page.Text("url")}, rows)
}
