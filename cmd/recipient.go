package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

func newRecipient(r *run) *cobra.Command {
	return group("recipient", "Find recipients, and find out whom a URL pays",
		newRecipientList(r),
		newRecipientShow(r),
	)
}

func newRecipientList(r *run) *cobra.Command {
	var network networkOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the active recipients",
		Long: `List reads the contracts' pool of active recipients, in its order: by stake, the
most first. Each has an address, which is what tickets pay, and a URL that it
has entered in the service registry itself. Nobody but the node is asked.`,
		Example: `  pmctl recipient list
  pmctl recipient list --network arbitrum-one-mainnet --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.listRecipients(cmd.Context(), &network) },
	}
	network.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

// recipientEntry is a recipient as the contracts know it.
type recipientEntry struct {
	Address    format.Address `json:"address"`
	Active     bool           `json:"active"`
	ServiceURI string         `json:"service_uri"`
}

func newRecipientEntry(recipient chain.Recipient) recipientEntry {
	return recipientEntry{format.Address(recipient.Address), recipient.Active, recipient.ServiceURI}
}

// recipientList is what pmctl recipient list answers.
type recipientList struct {
	Network    string           `json:"network"`
	ChainID    string           `json:"chain_id"`
	Recipients []recipientEntry `json:"recipients"`
}

func (r *run) listRecipients(ctx context.Context, network *networkOptions) error {
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
	done := r.waiting("reading the active recipients")
	pool, err := client.Recipients(ctx)
	done()
	if err != nil {
		return err
	}
	list := recipientList{
		Network:    client.Network().Name,
		ChainID:    fmt.Sprint(client.Network().ChainID),
		Recipients: make([]recipientEntry, len(pool)),
	}
	for i, recipient := range pool {
		list.Recipients[i] = newRecipientEntry(recipient)
	}
	if len(pool) == 0 && r.output == outputTable {
		r.note("no recipient is active on %s", list.Network)
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
		if err := writeFields(w, []field{{"recipient", common.Address(entry.Address).Hex()}, {"url", serviceURI(entry.ServiceURI)}}); err != nil {
			return err
		}
	}
	return nil
}

// serviceURI is a recipient's own text in the registry, for a person.
func serviceURI(text string) string {
	if text == "" {
		return "none in the service registry"
	}
	return plainText(text)
}

// shortened is a stranger's text as part of a message.
func shortened(text string) string {
	const most = 120
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// isRegisteredAt tells whether a recipient's own entry in the registry is u.
func isRegisteredAt(recipient chain.Recipient, u pay.URL) bool {
	registered, err := pay.ParseServiceURI(recipient.ServiceURI)
	return err == nil && registered == u
}
