package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
)

func newRecipient(r *run) *cobra.Command {
	return group("recipient", "Find recipients, and find out whom a URL pays",
		newRecipientList(r),
		newRecipientShow(r),
	)
}

func newRecipientList(r *run) *cobra.Command {
	var network networkOptions
	var ai bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the active recipients",
		Long: `List reads the contracts' pool of active recipients, in its order: by stake, the
most first. Each has an address, which is what tickets pay, and a URL that it
has entered in the service registry itself. It asks the node alone.

Recipients that do AI work enter a URL for it in a second registry, which is not
always the same one: --ai lists those that have, with that URL.`,
		Example: `  pmctl recipient list
  pmctl recipient list --ai
  pmctl recipient list --network arbitrum-one-mainnet --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.listRecipients(cmd.Context(), &network, ai) },
	}
	cmd.Flags().BoolVar(&ai, "ai", false, "list the recipients of the registry for AI work")
	network.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

// recipientEntry is a recipient as the contracts know it.
type recipientEntry struct {
	Address    format.Address `json:"address"`
	Active     bool           `json:"active"`
	ServiceURI string         `json:"service_uri"`

	// AIServiceURI is its entry in the registry for AI work, absent when there is none.
	AIServiceURI string `json:"ai_service_uri,omitempty"`
}

func newRecipientEntry(recipient chain.Recipient) recipientEntry {
	return recipientEntry{format.Address(recipient.Address), recipient.Active, recipient.ServiceURI, recipient.AIServiceURI}
}

// recipientList is what pmctl recipient list answers.
type recipientList struct {
	Network    string           `json:"network"`
	ChainID    string           `json:"chain_id"`
	Recipients []recipientEntry `json:"recipients"`

	ai bool // the URLs to show are those for AI work
}

// errNoAIRegistry is returned for a network that has none.
var errNoAIRegistry = errors.New("no registry for AI work is known")

func (r *run) listRecipients(ctx context.Context, network *networkOptions, ai bool) error {
	ctx, cancel, err := network.bound(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	client, err := network.dial(ctx, r.Env)
	if err != nil {
		return err
	}
	defer client.Close()
	if ai && client.Network().AIServiceRegistry == (common.Address{}) {
		return withHint(fmt.Errorf("%w on %s", errNoAIRegistry, client.Network().Name), "list all recipients without --ai")
	}
	done := r.waiting("reading the active recipients")
	pool, err := client.Recipients(ctx)
	done()
	if err != nil {
		return err
	}
	list := recipientList{
		Network:    client.Network().Name,
		ChainID:    fmt.Sprint(client.Network().ChainID),
		Recipients: make([]recipientEntry, 0, len(pool)),
		ai:         ai,
	}
	for _, recipient := range pool {
		if !ai || recipient.AIServiceURI != "" {
			list.Recipients = append(list.Recipients, newRecipientEntry(recipient))
		}
	}
	if len(list.Recipients) == 0 && r.output == outputTable {
		what := "recipient"
		if ai {
			what = "recipient with a URL for AI work"
		}
		r.note("no %s is active on %s", what, list.Network)
		return nil
	}
	return r.emit("pmctl.recipients", list, list.write)
}

func (l recipientList) write(w io.Writer) error {
	for i, entry := range l.Recipients {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		uri := entry.ServiceURI
		if l.ai {
			uri = entry.AIServiceURI
		}
		if err := writeFields(w, []field{{"recipient", common.Address(entry.Address).Hex()}, {"url", serviceURI(uri)}}); err != nil {
			return err
		}
	}
	return nil
}
