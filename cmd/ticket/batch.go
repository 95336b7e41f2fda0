// Package ticket has the commands about ticket params and tickets.
package ticket

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/internal/jsonfilter"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

type batchOptions struct {
	cli.PayerOptions
	params, url string
	count       ticketCount
	value       cli.ValueOptions
	out         string
	adopt       bool
	stream      bool
	request     cli.RequestOption
}

// NewTicket is pmctl ticket.
func NewTicket(r *cli.Run) *cobra.Command {
	return cli.Group("ticket", "Create, deliver, verify, inspect and redeem tickets",
		newTicketBatch(r),
		newTicketDeliver(r),
		newTicketInspect(r),
		newTicketVerify(r),
		newTicketRedeem(r),
	)
}

func newTicketBatch(r *cli.Run) *cobra.Command {
	var o batchOptions
	cmd := &cobra.Command{
		Use:   "batch [--params FILE|-] --count N",
		Short: "Create signed tickets",
		Long: `Create signed tickets from ticket params: those in a file or on stdin, or fresh
ones from a recipient. Nonces continue where the last batch of the same params
ended, across runs and processes. They are reserved before anything is signed,
so that no nonce is used twice. As with pmctl pay, the first batch pins the
address behind the URL of a recipient.

With --request-id the same command returns the same tickets, byte for byte, and
never creates a second batch. The params file must be the same; of params on
stdin, only the recipient must be.

Formats: json is one document, ndjson a header line and one line per ticket,
payment the value of the Livepeer-Payment header, headers both headers as curl
-H @- reads them, table for people.

With --stream each line of input is ticket params, or a recipient to fetch them
from, followed by its amount after a space if that is another. It becomes a
batch as soon as it is read. Each gives one line of output, in order: the
document of the batch (ndjson), a document with both headers (headers), or the
value of the Livepeer-Payment header (payment). Documents name the URL of their
recipient. A line that fails gives the document of its error, or an empty line
among payments; the exit code is that of the first failure. With --request-id ID
each line is a request of its own: ID and the number of the line.`,
		Example: `  pmctl ticket batch --params params.json --count 10
  pmctl ticket batch --recipient-url https://recipient.example \
    --value 5000gwei --output ndjson --out tickets.ndjson
  pmctl ticket batch --params params.json --count 10 --request-id job-42
  pmctl params fetch URL -o json |
    pmctl ticket batch --count 10 -o headers |
    curl -k --fail-with-body -H @- -X POST URL/payment
  pmctl params fetch URL… --jq . |
    pmctl ticket batch --stream --count 100 -o headers`,
		RunE: func(cmd *cobra.Command, _ []string) error { return makeBatch(r, cmd, &o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.params, "params", "-", "read ticket params from `FILE`, or from stdin with -")
	flags.StringVar(&o.url, "recipient-url", "", "fetch ticket params from the recipient at `URL`, which can also be an address")
	flags.Var(&o.count, "count", "create `N` tickets")
	o.value.Register(cmd, "create tickets worth at least `AMOUNT` (EV)")
	flags.StringVar(&o.out, "out", "", "write to `FILE`, which must not exist, instead of stdout")
	flags.BoolVar(&o.adopt, "adopt", false, "use params that another store fetched: nonces start at 1 here, and the recipient refuses those that the other store used")
	flags.BoolVar(&o.stream, "stream", false, "create a batch from each line of ticket params")
	flags.BoolVar(&o.Offline, "offline", false, "ask no node: tickets may be expired or worthless, and stderr lists what was not checked; refused if a config file or the agent sets deposit_multiplier or max_head_age")
	dialect.Relate(cmd, dialect.Exclusive, "params", "recipient-url")
	dialect.Relate(cmd, dialect.OneOf, "count", "value")
	dialect.Relate(cmd, dialect.Exclusive, "count", "value")
	dialect.Relate(cmd, dialect.Exclusive, "count", "max-overpay")
	o.request.Register(cmd, "the batch")
	o.Register(cmd)
	o.Limits.RegisterInactive(cmd)
	for _, asking := range []string{"recipient-url", "rpc-url", "max-head-age", "deposit-multiplier", "stream"} {
		dialect.Relate(cmd, dialect.Exclusive, "offline", asking)
	}
	r.OutputFlag(cmd, cli.OutputJSON, format.NDJSON, format.Payment, format.Headers, cli.OutputTable)
	return cmd
}

// makeBatch makes a batch. The order of its steps is what keeps money safe: whatever
// can be refused is refused first, then the key is opened, then nonces are taken, and
// only then is anything signed or written.
func makeBatch(r *cli.Run, cmd *cobra.Command, o *batchOptions) error {
	amount, err := o.amount(cmd)
	if err != nil {
		return err
	}
	if flag := o.Account.Keys.OnStdin(); flag != "" && o.url == "" && o.params == "-" {
		return cli.Usagef("stdin cannot give both the ticket params and what %s reads: name a file with --params, or another descriptor", flag)
	}
	if o.stream {
		return streamBatches(r, cmd, o, amount)
	}
	var recipient pay.Target
	if o.url != "" {
		if recipient, err = cli.ParseRecipient(o.url); err != nil {
			return err
		}
	}
	out, err := cli.OpenOutput(r, o.out)
	if err != nil {
		return err
	}
	defer out.Close()
	w, err := cli.OpenWallet(r, cmd, &o.PayerOptions)
	if err != nil {
		return err
	}
	defer w.Close()
	var document *format.Params
	if o.url == "" {
		if document, err = cli.ReadDocument(cmd.Context(), r, o.params, format.ReadParams); err != nil {
			return err
		}
	}
	if err := o.request.Check(cmd); err != nil {
		return err
	}
	b, err := w.Mint(cmd.Context(), wallet.MintOptions{
		Params: document, Adopt: o.adopt, Recipient: recipient, Amount: amount, Credentials: credentials(r),
		RequestID: o.request.ID, Refetched: o.params == "-",
	})
	if err != nil {
		return err
	}
	err = writeBatch(cmd.Context(), r, out, b)
	if err == nil {
		err = out.Commit()
	}
	switch {
	case errors.Is(err, durable.ErrUnsynced):
		return err
	case errors.As(err, new(*jsonfilter.Error)):
		return cli.Unreported(words.Count(b.Tickets.Count, "ticket")+" created", err)
	case err != nil && o.request.ID != "":
		return cli.WithHint(fmt.Errorf("the batch was not written in full: %w", err), "run it again with the same --request-id for the same tickets")
	case err != nil:
		return fmt.Errorf("the batch was not written in full, and %s used up: %w", cli.NonceRange(b.Tickets), err)
	}
	noteBatch(r, b.Tickets, o)
	return nil
}

// ticketCount is a flag whose value is a number of tickets; 0 when it is not given.
type ticketCount uint32

func (c *ticketCount) Type() string   { return "count" }
func (c *ticketCount) String() string { return strconv.FormatUint(uint64(*c), 10) }
func (c *ticketCount) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		return errors.New("must be a whole number of tickets, from 1")
	}
	*c = ticketCount(n)
	return nil
}

func (o *batchOptions) amount(cmd *cobra.Command) (pay.Amount, error) {
	if !cmd.Flags().Changed("count") {
		return o.value.Amount()
	}
	return pay.Amount{Count: uint64(o.count)}, nil
}

// credentials are those that the output shows.
func credentials(r *cli.Run) wallet.Credentials {
	switch r.Output {
	case format.Headers:
		return wallet.CredentialsNeeded
	case format.Payment, cli.OutputTable:
		return wallet.CredentialsNone
	}
	return wallet.CredentialsIfAny
}

func writeBatch(ctx context.Context, r *cli.Run, out cli.Output, b *wallet.Batch) error {
	if r.Output == cli.OutputTable {
		return writeBatchTable(ctx, out.Page(), b)
	}
	cli.PrepareFor(int64(b.Nonces.Count))
	defer r.Progress(func() string { return fmt.Sprintf("%d of %d tickets", b.Signed(), b.Nonces.Count) })()
	return b.Write(ctx, out, r.Output)
}

// writeBatchTable prints a batch for a person. Signatures are never cut.
func writeBatchTable(ctx context.Context, out *page.Page, t *wallet.Batch) error {
	out.Fields([]page.Field{
		{"recipient", t.Params.Recipient.Hex()},
		{"sender", t.Sender.Hex()},
		{"tickets", fmt.Sprint(t.Count)},
		{"ticket EV", wei.Format(t.TicketEV)},
		{"total EV", wei.Format(t.TotalEV)},
		{"round", fmt.Sprint(t.Expiration.CreationRound)},
		{"expires at", fmt.Sprintf("L1 block %v", t.Params.ExpirationBlock)},
	})
	if out.Err() != nil {
		return out.Err()
	}
	return t.Sign(ctx, func(ticket pm.TicketSenderParams) error {
		_, err := fmt.Fprintf(out, "\nnonce %d\n%s\n", ticket.SenderNonce, hexutil.Encode(ticket.Sig))
		return err
	})
}

func noteBatch(r *cli.Run, t *pay.Tickets, o *batchOptions) {
	r.Note("created %s worth %s, %s", words.Count(t.Count, "ticket"), wei.Format(t.TotalEV), cli.NonceRange(t))
	if t.Overpays != nil {
		r.Note("that is %s more than --value %s", cli.Overpays(t.Overpays), o.value.Value)
	}
	if o.out != "" && o.out != "-" {
		r.Note("written to %s", o.out)
	}
}
