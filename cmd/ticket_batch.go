package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
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
	stream      bool
	offline     bool
	request     requestOption
}

func newTicket(r *run) *cobra.Command {
	return group("ticket", "Make tickets, deliver them, and look at them",
		newTicketBatch(r),
		newTicketDeliver(r),
		newTicketInspect(r),
		newTicketVerify(r),
		newTicketRedeem(r),
	)
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

With --request-id a batch can be made again, byte for byte: the same tickets for
the same id, however often it is run, and never a second batch. Of params on
stdin only the recipient must be the same then, of a file all of it.

Formats: json is one document, ndjson a header and a line for each ticket,
payment the value of the Livepeer-Payment header, headers both headers as curl
-H @- reads them, table for people.

With --stream each line of the input is ticket params, and makes a batch of its
own as soon as it is read: one line of output for each, in order, with ndjson
the batch's document, with payment the header's value. A line that makes no
batch has its place too: the document of its error, or an empty line, and the
exit code at the end is that of the first. With --request-id ID each line is a
request of its own, ID and its number; what was made for a line is made again.`,
		Example: `  pmctl ticket batch --params params.json --count 10
  pmctl ticket batch --recipient-url https://recipient.example \
    --value 5000gwei --output ndjson --out tickets.ndjson
  pmctl ticket batch --params params.json --count 10 --request-id job-42
  pmctl params fetch URL -o json |
    pmctl ticket batch --count 10 -o headers |
    curl -kH @- -X POST URL/payment
  pmctl params fetch URL… -o json | jq -c |
    pmctl ticket batch --stream --count 100 -o payment`,
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
	flags.BoolVar(&o.stream, "stream", false, "make a batch of each line of ticket params")
	flags.BoolVar(&o.offline, "offline", false, "ask no node: the tickets may have expired already, or be worth nothing, and what was not checked is said on stderr; refused where deposit_multiplier or max_head_age is set in a config file or for the agent")
	cmd.MarkFlagsMutuallyExclusive("params", "recipient-url")
	cmd.MarkFlagsOneRequired("count", "value")
	cmd.MarkFlagsMutuallyExclusive("count", "value")
	o.request.register(cmd, "the batch")
	o.register(cmd)
	o.limits.registerInactive(cmd)
	for _, asking := range []string{"recipient-url", "rpc-url", "max-head-age", "deposit-multiplier", "stream"} {
		cmd.MarkFlagsMutuallyExclusive("offline", asking)
	}
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
	if cmd.Flags().Changed("out") && o.out == "" {
		return usagef("--out needs a file's name, or - for stdout")
	}
	if flag := o.account.keys.onStdin(); flag != "" && o.url == "" && o.params == "-" {
		return usagef("stdin cannot give both the ticket params and what %s reads: name a file with --params, or another descriptor", flag)
	}
	if o.stream {
		return r.streamBatches(cmd, o, amount)
	}
	var u pay.URL
	if o.url != "" {
		if u, err = pay.ParseURL(o.url); err != nil {
			return &usageError{err}
		}
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
	w.offline = o.offline
	var document *format.Params
	if o.url == "" {
		if document, err = r.readParams(cmd.Context(), o.params); err != nil {
			return err
		}
	}
	request, err := o.requested(cmd, u, document, amount)
	if err != nil {
		return err
	}
	b, err := r.batchBefore(cmd.Context(), w, request)
	if err == nil && b == nil {
		b, err = r.newBatch(cmd.Context(), w, o, u, document, amount, request)
	}
	if err != nil {
		return err
	}
	err = r.writeBatch(cmd.Context(), out, b)
	if err == nil {
		err = out.commit()
	}
	switch {
	case errors.As(err, new(*durable.UnsyncedError)):
		return err
	case err != nil && request != nil:
		return withHint(fmt.Errorf("the batch is not whole: %w", err), "run it again with the same --request-id for the same tickets")
	case err != nil:
		return fmt.Errorf("the batch is not whole, and %s used up: %w", nonceRange(b.tickets), err)
	}
	r.noteBatch(b.tickets, o)
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
	info   *wire.OrchestratorInfo
	works  []wire.Work // that the params are for
	signer pm.Signer
}

// readyBatch is a batch whose nonces are taken, and nothing but the signatures missing.
type readyBatch struct {
	tickets *pay.Tickets
	segment string
	signer  pm.Signer
}

// newBatch makes everything of a batch but its signatures.
func (r *run) newBatch(ctx context.Context, w *payerWallet, o *batchOptions, u pay.URL, document *format.Params, amount pay.Amount, request *store.Request) (*readyBatch, error) {
	var p *planned
	var err error
	if payer := w.payer(); document == nil {
		p, err = r.planFresh(ctx, w, payer, u, amount)
	} else {
		p, err = r.planGiven(ctx, w, payer, document, o.adopt, amount)
	}
	if err != nil {
		return nil, err
	}
	segment, err := r.segment(p, request)
	if err != nil {
		return nil, err
	}
	if err := p.ask(request, segment, amount); err != nil {
		return nil, err
	}
	if p.url != (pay.URL{}) {
		if err := w.pins().Keep(ctx, p.url, p.plan.Params.Recipient); err != nil {
			return nil, err
		}
	}
	tickets, err := p.payer.Reserve(ctx, p.plan)
	if err != nil {
		return nil, err
	}
	if tickets.Before != nil {
		return r.sameBatch(ctx, p.payer, tickets.Before, p.signer)
	}
	return &readyBatch{tickets, segment, p.signer}, nil
}

// ask has the batch made for a request, unless that is nil.
func (p *planned) ask(request *store.Request, segment string, amount pay.Amount) (err error) {
	if request != nil {
		recipe := pay.Recipe{Info: p.info, Expiration: p.plan.Expiration, Segment: segment, Value: amount.Value}
		request.Record, err = recipe.Encode()
		p.plan.Request = request
	}
	return err
}

// planGiven plans a batch from params that are there already, and opens the key last.
func (r *run) planGiven(ctx context.Context, w *payerWallet, payer *pay.Payer, document *format.Params, adopt bool, amount pay.Amount) (*planned, error) {
	p, err := r.proposeGiven(ctx, w, document, adopt, func(params *pm.TicketParams) (*pay.Plan, error) {
		return payer.Plan(ctx, params, amount)
	})
	if err != nil {
		return nil, err
	}
	p.payer = payer
	p.signer, err = w.unlock(ctx)
	return p, err
}

// proposeGiven judges params that are there already, and has plan plan their batch.
func (r *run) proposeGiven(ctx context.Context, w *payerWallet, document *format.Params, adopt bool, plan func(*pm.TicketParams) (*pay.Plan, error)) (*planned, error) {
	if err := w.checkDocument(document, adopt); err != nil {
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
	p := &planned{info: info}
	if p.works, err = document.WorksAsked(); err != nil {
		return nil, err
	}
	if document.URL != "" {
		if p.url, err = pay.ParseURL(document.URL); err != nil {
			return nil, err
		}
		if err := w.pins().Check(ctx, p.url, params.Recipient); err != nil {
			return nil, err
		}
	}
	if p.plan, err = plan(params); err != nil {
		return nil, err
	}
	if w.offline {
		r.noteUnchecked(w.limits, p.plan)
	}
	return p, r.checkToken(p)
}

// planFresh plans a batch from fresh params, which a recipient gives for a signature.
func (r *run) planFresh(ctx context.Context, w *payerWallet, payer *pay.Payer, u pay.URL, amount pay.Amount) (*planned, error) {
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
	p := &planned{payer: payer, url: u, info: offer.Info, works: offer.Works, signer: signer}
	if p.plan, err = payer.Plan(ctx, offer.Params, amount); err != nil {
		return nil, err
	}
	return p, r.checkToken(p)
}

// errOtherSender is returned for params that were made for another sender.
var errOtherSender = errors.New("these ticket params are for another sender")

// errOtherStore is returned for params whose nonces another store counts.
var errOtherStore = errors.New("these ticket params were fetched by another store, which may have used their nonces")

// checkDocument refuses params that are not this wallet's to use.
func (w *payerWallet) checkDocument(params *format.Params, adopt bool) error {
	if sender := common.Address(params.Sender); sender != w.account.Address() {
		return withHint(fmt.Errorf("%w: %v; the account is %v", errOtherSender, sender, w.account.Address()),
			"choose the account with --from %v, or fetch params of your own", sender)
	}
	if params.StoreID != "" && params.StoreID != w.store.ID() && !adopt {
		return withHint(errOtherStore, "fetch fresh ticket params, or say --adopt if you know that nobody else uses these")
	}
	return nil
}

// checkToken refuses an auth token that cannot be paid under, where that matters.
func (r *run) checkToken(p *planned) error {
	if r.output != format.Headers {
		return nil
	}
	return pay.CheckToken(p.url, p.info.GetAuthToken(), r.Now())
}

// segment returns the credentials that go along with a batch, "" when nobody would see
// them or the params have no auth token that still holds. A request's are kept with it,
// for any format that it is made again in.
func (r *run) segment(p *planned, request *store.Request) (string, error) {
	now, token := r.Now(), p.info.GetAuthToken()
	unseen := request == nil && (r.output == format.Payment || r.output == outputTable)
	if r.output != format.Headers && (unseen || token.Check(now) != nil) {
		return "", nil
	}
	needs, err := wire.Needs(p.works)
	if err != nil {
		return "", err
	}
	header, err := pay.SegmentHeader(p.signer, token, now)
	if err != nil {
		return "", err
	}
	return wire.WithNeeds(header, needs)
}

// writeBatch signs the tickets and writes them as they come.
func (r *run) writeBatch(ctx context.Context, out io.Writer, b *readyBatch) error {
	tickets := b.tickets
	header, err := format.NewBatchHeader(tickets.Sender, tickets.Params, tickets.Expiration, tickets.Nonces)
	if err != nil {
		return err
	}
	header.Segment = b.segment
	if r.output == outputTable {
		return writeBatchTable(ctx, out, b.signer, tickets)
	}
	writer, err := format.NewBatchWriter(out, r.output)
	if err != nil {
		return err
	}
	if err := writer.Begin(header); err != nil {
		return err
	}
	prepareFor(int64(tickets.Nonces.Count))
	var signed atomic.Uint32
	done := r.progress(func() string { return fmt.Sprintf("%d of %d tickets", signed.Load(), tickets.Nonces.Count) })
	err = tickets.Sign(ctx, b.signer, func(ticket pm.TicketSenderParams) error {
		signed.Add(1)
		return writer.Ticket(ticket)
	})
	done()
	if err != nil {
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

// noteUnchecked says what nobody has looked at, since the chain was not asked.
func (r *run) noteUnchecked(limits policy.Limits, plan *pay.Plan) {
	for _, finding := range limits.Judge(plan.Params, nil, uint64(plan.Count)) {
		if finding.Verdict == policy.NotChecked {
			r.note("not checked: %s: %s", finding.Check, finding.Detail)
		}
	}
	r.note("not checked: round: whether %d is still one that recipients take", plan.Expiration.CreationRound)
}

// noteBatch says what was made, on stderr.
func (r *run) noteBatch(t *pay.Tickets, o *batchOptions) {
	r.note("made %s worth %s, %s", plural(fmt.Sprint(t.Count), "ticket"), wei.Format(t.TotalEV), nonceRange(t))
	if t.Overpays != nil {
		r.note("that is %s more than --value %s", overpays(t.Overpays), o.value)
	}
	if o.out != "" && o.out != "-" {
		r.note("written to %s", o.out)
	}
}
