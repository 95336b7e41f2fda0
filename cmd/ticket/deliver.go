package ticket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

func newTicketDeliver(r *cli.Run) *cobra.Command {
	var network cli.NetworkOptions
	var header cli.HeaderOption
	var inactiveOK bool
	cmd := &cobra.Command{
		Use:   "deliver URL [FILE|-]",
		Short: "Hand a batch to its recipient",
		Long: `Deliver posts a batch of tickets with its credentials to the recipient at URL,
once. It reads what pmctl ticket batch wrote, as json, ndjson or headers, from
FILE or from stdin. No key is opened.

Tickets whose params have expired, or whose recipient is not active or is on
another chain, are not sent (exit code 5): they would be refused, and redeemed
all the same where they win. That takes a node to ask; with none, only the
credentials are looked at.

A batch is an HTTP header. One that would be larger than the recipient, or a
proxy before it, takes is delivered in parts, up to the first that is not
accepted.

A batch that was sent and not answered by the recipient, but by nobody or by a
proxy, must not be sent again: its tickets may have been accepted.`,
		Example: `  pmctl ticket batch --params params.json --count 10 -o headers |
    pmctl ticket deliver https://recipient.example
  pmctl ticket deliver https://recipient.example tickets.json --output json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := "-"
			if len(args) == 2 {
				file = args[1]
			}
			return runDeliver(r, cmd, &network, &header, inactiveOK, args[0], file)
		},
	}
	header.Register(cmd)
	cli.InactiveFlag(cmd, &inactiveOK)
	network.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

// deliveryResult is what pmctl ticket deliver answers. Paid is exact: a decimal number
// of wei, or a fraction n/d.
type deliveryResult struct {
	URL       string         `json:"url"`
	Recipient format.Address `json:"recipient"`
	Sender    format.Address `json:"sender"`
	Tickets   int            `json:"tickets"`
	Paid      string         `json:"paid"`
	paid      *big.Rat
}

func runDeliver(r *cli.Run, cmd *cobra.Command, network *cli.NetworkOptions, header *cli.HeaderOption, inactiveOK bool, url, file string) error {
	u, err := pay.ParseURL(url)
	if err != nil {
		return cli.Usage(err)
	}
	if network.Timeout <= 0 {
		return cli.Usagef("--timeout %s: it must be more than 0", network.Timeout)
	}
	limits, err := header.Limits(r.Env)
	if err != nil {
		return err
	}
	document, err := cli.ReadDocument(cmd.Context(), r, file)
	if err != nil {
		return err
	}
	segment, err := segmentOf(document)
	if err != nil {
		return err
	}
	batch := document.Batch
	if err := stillHolds(cmd.Context(), r, network, document, inactiveOK); err != nil {
		return err
	}
	client := &pay.Client{Timeout: network.Timeout, Now: r.Now, Headers: limits}
	done := r.Waiting("delivering to %s", u)
	receipt, accepted, err := client.DeliverBatch(cmd.Context(), u, batch, segment)
	done()
	if err != nil && accepted > 0 {
		err = fmt.Errorf("%w; the first %d of the %d tickets were accepted before", err, accepted, len(batch.SenderParams))
	}
	if err != nil {
		return err
	}
	if receipt.NextErr != nil {
		r.Note("the tickets were accepted; the recipient's fresh params cannot be used: %v", receipt.NextErr)
	}
	paid := batch.EV()
	paid.Mul(paid, big.NewRat(int64(len(batch.SenderParams)), 1))
	result := deliveryResult{
		URL:       u.String(),
		Recipient: format.Address(batch.Recipient),
		Sender:    format.Address(batch.Sender),
		Tickets:   len(batch.SenderParams),
		Paid:      paid.RatString(),
		paid:      paid,
	}
	return r.EmitDone("the tickets are accepted", "pmctl.delivery", result, result.write)
}

// stillHolds fails for tickets that come too late, by the clock for their credentials, by
// the chain, where there is a node to ask, for the ticket params; and for a recipient that
// is not active or on another chain.
func stillHolds(ctx context.Context, r *cli.Run, network *cli.NetworkOptions, document *format.Document, inactiveOK bool) error {
	const again = "nothing was sent; make a new batch from fresh ticket params"
	var expired *wire.ExpiredTokenError
	if err := document.Segment.GetAuthToken().Check(r.Now()); errors.As(err, &expired) {
		return cli.WithHint(expired, again)
	}
	ctx, cancel, err := network.Bound(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	client, err := network.Dial(ctx, r.Env)
	if errors.Is(err, wallet.ErrNoNode) {
		r.Note("not checked against the chain whether the ticket params still hold: %v", wallet.ErrNoNode)
		return nil
	}
	if err != nil {
		return err
	}
	defer client.Close()
	params := *document.Batch.TicketParams
	params.ExpirationParams = document.Batch.TicketExpirationParams // the tickets' round also where the params name none
	facts, err := client.Facts(ctx, document.Batch.Sender, pm.CounterpartyOf(&params))
	if err != nil {
		return err
	}
	if err := (policy.Limits{InactiveOK: inactiveOK}).CheckCounterparty(&params, facts); err != nil {
		return fmt.Errorf("nothing was sent: %w", err)
	}
	last, expiration := facts.LastSeenL1Block, params.ExpirationBlock
	// As for making tickets: they hold beyond the next block.
	if expiration == nil || new(big.Int).Sub(expiration, last).Cmp(big.NewInt(1)) <= 0 {
		return cli.WithHint(fmt.Errorf("%w: they expire at L1 block %v, the last one seen is %v", pm.ErrTicketParamsExpired, expiration, last), again)
	}
	return nil
}

// errNoCredentials is returned for a batch that no recipient would take.
var errNoCredentials = errors.New("these are no tickets with their credentials")

// segmentOf returns the header that goes along with a document's tickets. It fails for a
// document without tickets or without credentials.
func segmentOf(document *format.Document) (string, error) {
	if document.Batch == nil || document.Segment == nil || len(document.Batch.SenderParams) == 0 {
		return "", cli.WithHint(errNoCredentials, "make them with pmctl ticket batch -o headers, or -o json while the params' auth token holds")
	}
	return wire.EncodeHeader(document.Segment)
}

func (d deliveryResult) write(w io.Writer) error {
	return cli.WriteFields(w, []cli.Field{
		{"accepted", cli.Plural(fmt.Sprint(d.Tickets), "ticket") + " worth " + wei.Format(d.paid)},
		{"to", common.Address(d.Recipient).Hex()},
		{"at", d.URL},
		{"from", common.Address(d.Sender).Hex()},
	})
}
