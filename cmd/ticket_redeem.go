package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/redeem"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

type redeemOptions struct {
	transactOptions
	policy redeem.Policy
	rand   string
	nonces []int
}

func newTicketRedeem(r *run) *cobra.Command {
	var o redeemOptions
	cmd := &cobra.Command{
		Use:   "redeem --recipient-rand-file FILE [FILE|-]",
		Short: "Have the contract pay winning tickets",
		Long: `Redeem is for recipients: it finds the tickets of a batch that won and has the
contract pay them to the recipient. It reads FILE or stdin: anything that pmctl
ticket batch writes, and the header Livepeer-Payment. The account pays the gas;
it need not be the recipient's.

Before it sends anything it checks that each ticket is valid and won, that the
contract would take it (not used, not expired), and that it brings more than its
gas. Several winners go in one transaction; the contract passes over what it
does not pay, so each is reported by its own event.

A redemption publishes recipientRand. While the ticket params hold it is
refused, unless you say --early: the sender could tell winners from losers.`,
		Example: `  pmctl ticket redeem tickets.json --recipient-rand-file rand.txt
  pmctl ticket redeem header.txt --recipient-rand-file rand.txt --yes -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return r.redeem(cmd, &o, fileOrStdin(args)) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.rand, "recipient-rand-file", "", "`FILE` with the number that recipientRandHash commits to, decimal or 0x and hex digits")
	flags.IntSliceVar(&o.nonces, "nonce", nil, "redeem only the tickets with these nonces, such as `1,5`")
	flags.BoolVar(&o.policy.Early, "early", false, "redeem before the ticket params expire; you take no more tickets on them")
	flags.BoolVar(&o.policy.AtALoss, "at-a-loss", false, "redeem tickets that bring no more than their gas costs")
	_ = cmd.MarkFlagRequired("recipient-rand-file")
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

func (r *run) redeem(cmd *cobra.Command, o *redeemOptions, file string) error {
	if o.rand == "-" && file == "-" {
		return usagef("--recipient-rand-file and the tickets cannot both be stdin: name a file for one of them")
	}
	if flag := o.account.keys.onStdin(); flag != "" && (o.rand == "-" || file == "-") {
		return usagef("stdin cannot give both what %s reads and the tickets or their number: name a file for one of them", flag)
	}
	rand, err := r.readRand(cmd.Context(), o.rand)
	if err != nil {
		return err
	}
	document, err := r.readDocument(cmd.Context(), file)
	if err != nil {
		return err
	}
	if document.Batch == nil || len(document.Batch.SenderParams) == 0 {
		return errNoTicketsToRedeem
	}
	if err := selectNonces(document.Batch, o.nonces); err != nil {
		return err
	}
	tickets, err := redeem.Draw(cmd.Context(), document.Batch, rand)
	if err != nil {
		return err
	}
	if len(tickets.Left()) == 0 {
		return nothingToRedeem(tickets)
	}
	return r.transact(cmd, &o.transactOptions, redeemAction(tickets, o.policy))
}

// redeemAction redeems the winners among tickets.
func redeemAction(tickets redeem.Tickets, policy redeem.Policy) action {
	won := tickets.Left()
	hashes := make([]byte, 0, len(won)*common.HashLength)
	for _, t := range won {
		hashes = append(hashes, t.Hash().Bytes()...)
	}
	return action{
		label: tx.RedeemLabel(len(won), crypto.Keccak256Hash(hashes)),
		plan: func(ctx context.Context, s situation) (proposal, error) {
			return proposeRedemption(ctx, s, tickets, policy)
		},
		report: func(ctx context.Context, s situation, receipt *types.Receipt, result *transactionResult) error {
			// An earlier run may have sent the transaction: it says itself which tickets
			// it redeemed.
			left := tickets.Left()
			if err := left.Settle(s.status.Contracts.TicketBroker, receipt.Logs); err != nil {
				return err
			}
			left.Explain(ctx, s.client, s.account)
			result.Tickets = outcomes(tickets)
			return passedOver(left)
		},
	}
}

// errNoTicketsToRedeem is returned for a document without tickets.
var errNoTicketsToRedeem = errors.New("there are no tickets to redeem")

// maxRandText bounds what a file with a 256-bit number holds.
const maxRandText = 200

// readRand reads a recipient's secret number. Its errors do not repeat it.
func (r *run) readRand(ctx context.Context, file string) (*big.Int, error) {
	in := r.In
	if file != "-" {
		f, err := input.Open(ctx, file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxRandText))
	if err != nil {
		return nil, err
	}
	digits := strings.TrimSpace(string(text))
	base := 10
	if hex, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base = hex, 16
	}
	rand, ok := new(big.Int).SetString(digits, base)
	if !ok || rand.Sign() < 0 || rand.BitLen() > 256 || strings.ContainsAny(digits, "+_") {
		return nil, withHint(errBadRand, "write it as decimal digits, or as 0x and up to 64 hex digits")
	}
	return rand, nil
}

// errBadRand is returned for a --recipient-rand-file that has no number in it.
var errBadRand = errors.New("--recipient-rand-file: the file does not hold one number of at most 256 bits")

// selectNonces leaves only tickets with these nonces in a batch; all when there are
// none.
func selectNonces(batch *pm.TicketBatch, nonces []int) error {
	if len(nonces) == 0 {
		return nil
	}
	found := make(map[int]bool)
	batch.SenderParams = slices.DeleteFunc(batch.SenderParams, func(ticket *pm.TicketSenderParams) bool {
		nonce := int(ticket.SenderNonce)
		found[nonce] = true
		return !slices.Contains(nonces, nonce)
	})
	for _, nonce := range nonces {
		if !found[nonce] {
			return usagef("--nonce %d: no ticket of the batch has it", nonce)
		}
	}
	return nil
}

// proposeRedemption is the transaction for the winners that the contract would pay.
func proposeRedemption(ctx context.Context, s situation, tickets redeem.Tickets, policy redeem.Policy) (proposal, error) {
	if err := tickets.Judge(ctx, s.client, s.account, policy); err != nil {
		return proposal{}, err
	}
	left := tickets.Left()
	if len(left) == 0 {
		return proposal{}, nothingToRedeem(tickets)
	}
	call, err := left.Call(s.status.Contracts.TicketBroker)
	if err != nil {
		return proposal{}, err
	}
	say, total, err := sayRedemption(s.account, tickets, left)
	return proposal{
		call: call,
		say:  say,
		ask:  fmt.Sprintf("Redeem %s for %s?", plural(fmt.Sprint(len(left)), "ticket"), total),
	}, err
}

// sayRedemption says what a redemption will do, and how much it pays.
func sayRedemption(account common.Address, tickets, left redeem.Tickets) (say []string, total wei.Wei, err error) {
	if total, err = left.Pays(); err != nil {
		return nil, total, err
	}
	sender, recipient := left[0].Sender, left[0].Recipient
	if rest := summary(tickets); rest != "" {
		say = append(say, fmt.Sprintf("Not redeemed: %s.", rest))
	}
	say = append(say, fmt.Sprintf("This redeems %s of %s: it pays %s to the fees of %s.",
		plural(fmt.Sprint(len(left)), "ticket"), sender, total, recipient))
	worth, err := wei.FromBig(new(big.Int).Mul(left[0].FaceValue, big.NewInt(int64(len(left)))))
	if err != nil {
		return nil, total, err
	}
	if total.Cmp(worth) < 0 {
		say = append(say, fmt.Sprintf("The sender's funds do not cover the face value of %s: the rest is lost, a redeemed ticket is used up.", worth))
	}
	if account != recipient {
		say = append(say, "Your account pays the gas and gets nothing: it is not the recipient.")
	}
	return say, total, nil
}

// ticketOutcome is what became of a ticket.
type ticketOutcome struct {
	Nonce uint32      `json:"nonce"`
	Hash  format.Hash `json:"hash"`
	// Outcome is redeemed, lost, invalid, not_worth_gas, refused or passed_over.
	Outcome string `json:"outcome"`
	// Paid is what the contract paid; absent unless redeemed.
	Paid *wei.Wei `json:"paid,omitempty"`
	// Reason is why it is not redeemed, in words.
	Reason string `json:"reason,omitempty"`
}

func outcomes(tickets redeem.Tickets) []ticketOutcome {
	list := make([]ticketOutcome, len(tickets))
	for i, t := range tickets {
		list[i] = ticketOutcome{Nonce: t.SenderNonce, Hash: format.Hash(t.Hash()), Outcome: outcomeOf(t)}
		if t.Redeemed {
			list[i].Paid = &t.Pays
		} else {
			list[i].Reason = t.Err.Error()
		}
	}
	return list
}

func outcomeOf(t *redeem.Ticket) string {
	var refused *chain.RevertError
	switch {
	case t.Redeemed:
		return "redeemed"
	case errors.Is(t.Err, pm.ErrNotWinning):
		return "lost"
	case errors.Is(t.Err, redeem.ErrPassedOver):
		return "passed_over"
	case errors.Is(t.Err, redeem.ErrNotWorthGas):
		return "not_worth_gas"
	case errors.As(t.Err, &refused):
		return "refused"
	}
	return "invalid"
}

// outcomeFields are the tickets that won, for a person.
func outcomeFields(tickets []ticketOutcome) []field {
	var fields []field
	for _, t := range tickets {
		switch {
		case t.Outcome == "redeemed":
			fields = append(fields, field{"redeemed", fmt.Sprintf("the ticket with nonce %d, which paid %s", t.Nonce, t.Paid)})
		case t.Outcome != "lost":
			fields = append(fields, field{"not redeemed", fmt.Sprintf("the ticket with nonce %d: %s", t.Nonce, t.Reason)})
		}
	}
	return fields
}

// summary counts the tickets that are not redeemed by their reasons.
func summary(tickets redeem.Tickets) string {
	counts := make(map[string]int)
	var reasons []string
	for _, t := range tickets {
		if t.Err == nil {
			continue
		}
		reason := t.Err.Error()
		if counts[reason] == 0 {
			reasons = append(reasons, reason)
		}
		counts[reason]++
	}
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%d because %s", counts[reason], reason)
	}
	return strings.Join(reasons, ", ")
}

// nothingError is a batch of which no ticket can be redeemed.
type nothingError struct{ tickets redeem.Tickets }

func nothingToRedeem(tickets redeem.Tickets) error { return &nothingError{tickets} }

func (e *nothingError) Error() string {
	return fmt.Sprintf("%v: %s", redeem.ErrNothing, summary(e.tickets))
}

// Unwrap returns redeem.ErrNothing and the tickets' own reasons.
func (e *nothingError) Unwrap() []error {
	errs := []error{redeem.ErrNothing}
	for _, t := range e.tickets {
		errs = append(errs, t.Err)
	}
	return errs
}

// passedOver is an error when the contract has not redeemed all of the tickets.
func passedOver(tickets redeem.Tickets) error {
	var missed redeem.Tickets
	for _, t := range tickets {
		if !t.Redeemed {
			missed = append(missed, t)
		}
	}
	if len(missed) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d were not redeemed: %s", redeem.ErrPassedOver, len(missed), len(tickets), summary(missed))
}
