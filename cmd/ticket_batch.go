package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// batchOptions are the options of pmctl ticket batch.
type batchOptions struct {
	payerOptions
	params, url string
	count       ticketCount
	value       string
	out         string
	adopt       bool
}

func newTicketBatch(r *run) *cobra.Command {
	var o batchOptions
	cmd := &cobra.Command{
		Use:   "batch [--params FILE|-] --count N",
		Short: "Make signed tickets",
		Long: `Batch makes signed tickets from ticket params: those in a file or on stdin, or
fresh ones from a recipient. Nonces go on where the last batch of the same
params ended, over runs and processes; they are taken before anything is signed,
so that none is ever used twice. Whom the tickets of a recipient's URL pay is
remembered, as by pmctl pay.

Formats: json is one document, ndjson a header and a line for each ticket,
payment the value of the Livepeer-Payment header, headers both headers as curl
-H @- reads them, table for people.`,
		Example: `  pmctl ticket batch --params params.json --count 10
  pmctl ticket batch --recipient-url https://recipient.example \
    --value 5000gwei --output ndjson --out tickets.ndjson
  pmctl params fetch URL -o json |
    pmctl ticket batch --count 10 -o headers |
    curl -kH @- -X POST URL/payment`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.makeBatch(cmd, &o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.params, "params", "-", "`FILE` with ticket params from pmctl params fetch, or - for stdin")
	flags.StringVar(&o.url, "recipient-url", "", "`URL` of a recipient to fetch ticket params from")
	flags.Var(&o.count, "count", "make `N` tickets")
	flags.StringVar(&o.value, "value", "", "make as many tickets as are worth this `AMOUNT`")
	flags.StringVar(&o.out, "out", "", "`FILE` to write, whole or not at all, in place of stdout; it must not exist")
	flags.BoolVar(&o.adopt, "adopt", false, "use params that another store fetched: their nonces start at 1 here, and are refused where the other store used them")
	cmd.MarkFlagsMutuallyExclusive("params", "recipient-url")
	cmd.MarkFlagsOneRequired("count", "value")
	cmd.MarkFlagsMutuallyExclusive("count", "value")
	o.register(cmd)
	r.outputFlag(cmd, outputJSON, format.NDJSON, format.Payment, format.Headers, outputTable)
	return cmd
}

// makeBatch makes a batch. The order of its steps is what keeps money safe: whatever
// can be refused is refused first, then the key is opened, then nonces are taken, and
// only then is anything signed or written.
func (r *run) makeBatch(cmd *cobra.Command, o *batchOptions) error {
	amount, err := o.amount(cmd)
	if err != nil {
		return err
	}
	var u pay.URL
	if o.url != "" {
		if u, err = pay.ParseURL(o.url); err != nil {
			return &usageError{err}
		}
	}
	if cmd.Flags().Changed("out") && o.out == "" {
		return usagef("--out needs a file's name, or - for stdout")
	}
	out, err := r.openOutput(o.out)
	if err != nil {
		return err
	}
	defer out.close()
	w, err := r.openWallet(cmd, &o.payerOptions)
	if err != nil {
		return err
	}
	defer w.close()
	var p *planned
	if payer := w.payer(); o.url != "" {
		p, err = r.planFresh(cmd.Context(), w, payer, u, amount)
	} else {
		p, err = r.planGiven(cmd.Context(), w, payer, o, amount)
	}
	if err != nil {
		return err
	}
	if p.url != (pay.URL{}) {
		if err := w.pins().Keep(cmd.Context(), p.url, p.plan.Params.Recipient); err != nil {
			return err
		}
	}
	segment, err := r.segment(p)
	if err != nil {
		return err
	}
	tickets, err := p.payer.Reserve(cmd.Context(), p.plan)
	if err != nil {
		return err
	}
	err = r.writeBatch(cmd.Context(), out, p.signer, tickets, segment)
	if err == nil {
		err = out.commit()
	}
	if errors.As(err, new(*unsyncedError)) {
		return err
	}
	if err != nil {
		return fmt.Errorf("no tickets, and %s used up: %w", nonceRange(tickets), err)
	}
	r.noteBatch(tickets, o)
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

// amount is what the flags ask for.
func (o *batchOptions) amount(cmd *cobra.Command) (pay.Amount, error) {
	if !cmd.Flags().Changed("count") {
		value, err := parseValue(o.value)
		return pay.Amount{Value: value}, err
	}
	return pay.Amount{Count: uint64(o.count)}, nil
}

// planned is a batch that nothing speaks against, with the open key. No nonce has been
// taken yet.
type planned struct {
	payer  *pay.Payer
	plan   *pay.Plan
	url    pay.URL // of the recipient, where it is known
	token  *wire.AuthToken
	signer pm.Signer
}

// planGiven plans a batch from params that are there already, and opens the key last.
func (r *run) planGiven(ctx context.Context, w *wallet, payer *pay.Payer, o *batchOptions, amount pay.Amount) (*planned, error) {
	document, err := r.readParams(ctx, o.params)
	if err != nil {
		return nil, err
	}
	if err := w.checkDocument(document, o.adopt); err != nil {
		return nil, err
	}
	info, err := document.Info()
	if err != nil {
		return nil, err
	}
	params, err := info.Params()
	if err != nil {
		return nil, err
	}
	p := &planned{payer: payer, token: info.GetAuthToken()}
	if document.URL != "" {
		if p.url, err = pay.ParseURL(document.URL); err != nil {
			return nil, err
		}
		if err := w.pins().Check(ctx, p.url, params.Recipient); err != nil {
			return nil, err
		}
	}
	if p.plan, err = payer.Plan(ctx, params, amount); err != nil {
		return nil, err
	}
	if err := r.checkToken(p.token); err != nil {
		return nil, err
	}
	p.signer, err = w.unlock(ctx)
	return p, err
}

// planFresh plans a batch from fresh params, which a recipient gives for a signature.
func (r *run) planFresh(ctx context.Context, w *wallet, payer *pay.Payer, u pay.URL, amount pay.Amount) (*planned, error) {
	if err := payer.CheckSender(ctx); err != nil {
		return nil, err
	}
	signer, err := w.unlock(ctx)
	if err != nil {
		return nil, err
	}
	request, err := wire.NewOrchestratorRequest(signer)
	if err != nil {
		return nil, err
	}
	offer, err := w.client.Fetch(ctx, u, request)
	if err != nil {
		return nil, err
	}
	if err := w.pins().Check(ctx, u, offer.Params.Recipient); err != nil {
		return nil, err
	}
	p := &planned{payer: payer, url: u, token: offer.Info.GetAuthToken(), signer: signer}
	if p.plan, err = payer.Plan(ctx, offer.Params, amount); err != nil {
		return nil, err
	}
	return p, r.checkToken(p.token)
}

// errOtherSender is returned for params that were made for another sender.
var errOtherSender = errors.New("these ticket params are for another sender")

// errOtherStore is returned for params whose nonces another store counts.
var errOtherStore = errors.New("these ticket params were fetched by another store, which may have used their nonces")

// checkDocument refuses params that are not this wallet's to use.
func (w *wallet) checkDocument(params *format.Params, adopt bool) error {
	if sender := common.Address(params.Sender); sender != w.account.Address {
		return withHint(fmt.Errorf("%w: %v; the account is %v", errOtherSender, sender, w.account.Address),
			"choose the account with --from %v, or fetch params of your own", sender)
	}
	if params.StoreID != "" && params.StoreID != w.store.ID() && !adopt {
		return withHint(errOtherStore, "fetch fresh ticket params, or say --adopt if you know that nobody else uses these")
	}
	return nil
}

// checkToken refuses an auth token that cannot be paid under, where that matters.
func (r *run) checkToken(token *wire.AuthToken) error {
	if r.output != format.Headers {
		return nil
	}
	return token.Check(r.Now())
}

// segment returns the credentials that go along with a batch, "" when the params have
// no auth token that still holds.
func (r *run) segment(p *planned) (string, error) {
	now := r.Now()
	if p.token.Check(now) != nil && r.output != format.Headers {
		return "", nil
	}
	return pay.SegmentHeader(p.signer, p.token, now)
}

// writeBatch signs the tickets and writes them as they come.
func (r *run) writeBatch(ctx context.Context, out io.Writer, signer pm.Signer, tickets *pay.Tickets, segment string) error {
	header, err := format.NewBatchHeader(tickets.Sender, tickets.Params, tickets.Expiration, tickets.Nonces)
	if err != nil {
		return err
	}
	header.Segment = segment
	if r.output == outputTable {
		return writeBatchTable(ctx, out, signer, tickets)
	}
	writer, err := format.NewBatchWriter(out, r.output)
	if err != nil {
		return err
	}
	if err := writer.Begin(header); err != nil {
		return err
	}
	if err := tickets.Sign(ctx, signer, writer.Ticket); err != nil {
		return err
	}
	return writer.End()
}

// writeBatchTable prints a batch for a person. Signatures are never cut.
func writeBatchTable(ctx context.Context, out io.Writer, signer pm.Signer, t *pay.Tickets) error {
	err := writeFields(out, []field{
		{"recipient", t.Params.Recipient.Hex()},
		{"sender", t.Sender.Hex()},
		{"tickets", fmt.Sprint(t.Count)},
		{"ticket EV", wei.Format(t.TicketEV)},
		{"total EV", wei.Format(t.TotalEV)},
		{"round", fmt.Sprint(t.Expiration.CreationRound)},
		{"expires at", fmt.Sprintf("L1 block %v", t.Params.ExpirationBlock)},
	})
	if err != nil {
		return err
	}
	return t.Sign(ctx, signer, func(ticket pm.TicketSenderParams) error {
		_, err := fmt.Fprintf(out, "\nnonce %d\n%s\n", ticket.SenderNonce, hexutil.Encode(ticket.Sig))
		return err
	})
}

// noteBatch says what was made, on stderr.
func (r *run) noteBatch(t *pay.Tickets, o *batchOptions) {
	r.note("made %s worth %s, %s", plural(fmt.Sprint(t.Count), "ticket"), wei.Format(t.TotalEV), nonceRange(t))
	if t.Overpays != nil {
		r.note("that is %s more than --value %s", overpays(t), o.value)
	}
	if o.out != "" && o.out != "-" {
		r.note("written to %s", o.out)
	}
}
