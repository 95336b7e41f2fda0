package ticket

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

func newTicketDeliver(r *cli.Run) *cobra.Command {
	var network cli.NetworkOptions
	var header cli.HeaderOption
	var inactiveOK bool
	cmd := &cobra.Command{
		Use:   "deliver URL [FILE|-]",
		Short: "Deliver tickets to a recipient",
		Long: `Post a batch of tickets and its credentials to the recipient at URL, once. The
batch is the output of pmctl ticket batch as json, ndjson or headers, from FILE
or stdin. No key is opened.

Tickets are not sent (exit code 5) if their params have expired, or if their
recipient is inactive or on another chain: it would refuse them, and could still
redeem the winners. These checks need a node; without one only the credentials
are checked.

A batch is an HTTP header. If it is larger than the recipient or a proxy
accepts, it is delivered in parts, until one is not accepted.

Do not deliver a batch again if there was no answer, or one from a proxy: its
tickets may have been accepted.`,
		Example: `  pmctl ticket batch --params params.json --count 10 -o headers |
    pmctl ticket deliver https://recipient.example
  pmctl ticket deliver https://recipient.example tickets.json --output json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeliver(r, cmd, &network, &header, inactiveOK, args[0], cli.FileOrStdin(args[1:]))
		},
	}
	header.Register(cmd)
	cli.InactiveFlag(cmd, &inactiveOK)
	network.Register(cmd)
	return cmd
}

func runDeliver(r *cli.Run, cmd *cobra.Command, network *cli.NetworkOptions, header *cli.HeaderOption, inactiveOK bool, url, file string) error {
	u, err := pay.ParseURL(url)
	if err != nil {
		return cli.Usage(err)
	}
	config, err := cli.ReadingConfig(r, network)
	if err != nil {
		return err
	}
	limits, err := header.Limits(r.Env)
	if err != nil {
		return err
	}
	document, err := cli.ReadDocument(cmd.Context(), r, file, format.Decode)
	if err != nil {
		return err
	}
	delivery, err := wallet.Deliver(cmd.Context(), config, u, wallet.DeliverOptions{Document: document, Headers: limits, InactiveOK: inactiveOK})
	if err != nil {
		return err
	}
	return r.EmitDone("the tickets are accepted", "pmctl.delivery", delivery, func(w *page.Page) {
		w.Fields([]page.Field{
			{"accepted", words.Count(delivery.Tickets, "ticket") + " worth " + wei.Format(delivery.TotalEVExact.Rat)},
			{"to", common.Address(delivery.Recipient).Hex()},
			{"at", delivery.URL},
			{"from", common.Address(delivery.Sender).Hex()},
		})
	})
}
