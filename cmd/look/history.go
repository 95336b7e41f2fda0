package look

import (
	"fmt"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

type historyOptions struct {
	scanOptions
	recipient string
	until     string
}

// NewHistory is pmctl history.
func NewHistory(r *cli.Run) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show what became of your funds: fundings, redemptions, withdrawals",
		Long: `History reads what the TicketBroker contract tells of an account: what was
deposited, unlocked and withdrawn, and which of your tickets won and were
redeemed. Each redemption is matched with the ticket in the store's ledger that
it came from. At the end it says how many tickets should have won, and how
likely it is to be off by that much.

What is too old to change is kept in pmctl's cache folder. A scan that was
interrupted goes on where it ended; --since spares what is before.`,
		Example: `  pmctl history
  pmctl history --since 30d
  pmctl history --recipient 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed -o json
  pmctl history --since 2026-03-01 --until 2026-04-01 -o csv > march.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runHistory(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.since, "since", "", "leave out what was before a `TIME`: 12h, 30d or 2w ago, a day, or a time (default everything)")
	cmd.Flags().StringVar(&o.until, "until", "", "leave out what was at this `TIME` or later")
	cmd.Flags().StringVar(&o.recipient, "recipient", "", "show only the redemptions by the recipient at `ADDRESS`")
	o.register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputCSV)
	return cmd
}

// historyResult is what pmctl history answers.
type historyResult struct {
	Network   string          `json:"network"`
	ChainID   string          `json:"chain_id"`
	Sender    format.Address  `json:"sender"`
	Recipient *format.Address `json:"recipient,omitempty"`
	Since     *time.Time      `json:"since,omitempty"`
	Until     *time.Time      `json:"until,omitempty"`
	// Block is the newest one that was looked at.
	Block  string        `json:"block"`
	Events []eventResult `json:"events"`
	Totals totalsResult  `json:"totals"`
	Luck   luckResult    `json:"luck"`
}

// eventResult is one event. Amounts are never negative: the kind says which way they go.
type eventResult struct {
	Kind        string            `json:"kind"`
	Time        time.Time         `json:"time"`
	Block       string            `json:"block"`
	LogIndex    string            `json:"log_index"`
	Transaction common.Hash       `json:"transaction"`
	Deposit     *wei.Wei          `json:"deposit,omitempty"`
	Reserve     *wei.Wei          `json:"reserve,omitempty"`
	StartRound  string            `json:"start_round,omitempty"`
	EndRound    string            `json:"end_round,omitempty"`
	Redemption  *redemptionResult `json:"redemption,omitempty"`
}

type redemptionResult struct {
	Recipient         format.Address `json:"recipient"`
	FaceValue         string         `json:"face_value"`
	Paid              string         `json:"paid"`
	WinProb           string         `json:"win_prob"`
	SenderNonce       string         `json:"sender_nonce"`
	RecipientRandHash common.Hash    `json:"recipient_rand_hash"`
	CreationRound     string         `json:"creation_round"`
	// Match is matched, unknown or contradicts.
	Match string      `json:"match"`
	Made  *madeResult `json:"made,omitempty"`
}

// madeResult is the entry of the ledger that a ticket came from.
type madeResult struct {
	At         time.Time `json:"at"`
	FirstNonce string    `json:"first_nonce"`
	Tickets    string    `json:"tickets"`
	TicketEV   string    `json:"ticket_ev"`
}

// totalsResult adds up the events that are shown, in wei.
type totalsResult struct {
	DepositFunded    string `json:"deposit_funded"`
	ReserveFunded    string `json:"reserve_funded"`
	DepositWithdrawn string `json:"deposit_withdrawn"`
	ReserveWithdrawn string `json:"reserve_withdrawn"`
	DepositPaid      string `json:"deposit_paid"`
	ReservePaid      string `json:"reserve_paid"`
	Redemptions      string `json:"redemptions"`
	Unmatched        string `json:"unmatched"`
}

// luckResult holds the tickets made in the time that is shown against what became of
// them. Probabilities are JSON numbers.
type luckResult struct {
	Tickets            string  `json:"tickets"`
	EV                 string  `json:"ev"`
	ExpectedWins       float64 `json:"expected_wins"`
	Wins               string  `json:"wins"`
	Paid               string  `json:"paid"`
	ProbabilityAtMost  float64 `json:"probability_at_most"`
	ProbabilityAtLeast float64 `json:"probability_at_least"`
	Outstanding        string  `json:"outstanding"`

	ev, paid *big.Rat
	wins     uint64
}

func runHistory(r *cli.Run, cmd *cobra.Command, o *historyOptions) error {
	var recipient *common.Address
	if o.recipient != "" {
		address, err := cli.ParseAddress("--recipient", o.recipient)
		if err != nil {
			return err
		}
		recipient = &address
	}
	until, err := cli.ParseMoment("--until", o.until, r.Now())
	if err != nil {
		return err
	}
	p, err := lookBack(r, cmd, &o.scanOptions)
	if err != nil {
		return err
	}
	defer p.store.Close()
	chosen := func(at time.Time, paid common.Address) bool {
		return !at.Before(p.since) && (until.IsZero() || at.Before(until)) && (recipient == nil || *recipient == paid)
	}
	draw := history.NewDraw(p.status.Head.L1Block)
	err = p.ledger.Reservations(cmd.Context(), p.sender, p.since, func(made store.Reservation) error {
		if chosen(made.At, made.Recipient) {
			draw.Add(made)
		}
		return nil
	})
	if err != nil {
		return err
	}
	result := &historyResult{
		Network: p.network.Name, ChainID: fmt.Sprint(p.network.ChainID), Sender: format.Address(p.sender),
		Recipient: (*format.Address)(recipient), Since: notZero(p.since), Until: notZero(until),
		Block: fmt.Sprint(p.status.Head.Number), Events: []eventResult{},
	}
	var events []history.Event
	for _, e := range p.events {
		draw.Win(e) // whenever it was redeemed
		var paid common.Address
		if e.Redemption != nil {
			paid = e.Redemption.Recipient
		}
		if chosen(e.Time, paid) {
			events = append(events, e)
			result.Events = append(result.Events, newEventResult(e))
		}
	}
	result.Totals, result.Luck = newTotals(events), newLuck(draw)
	if r.Output == cli.OutputCSV {
		return writeHistoryCSV(r.Out, result.Events)
	}
	return r.Emit("pmctl.history", result, result.write)
}

func notZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func newEventResult(e history.Event) eventResult {
	result := eventResult{
		Kind: string(e.Kind), Time: e.Time, Block: fmt.Sprint(e.Block), LogIndex: fmt.Sprint(e.Index), Transaction: e.Tx,
	}
	switch e.Kind {
	case history.DepositFunded:
		result.Deposit = &e.Deposit
	case history.ReserveFunded:
		result.Reserve = &e.Reserve
	case history.Withdrawn, history.Redeemed:
		result.Deposit, result.Reserve = &e.Deposit, &e.Reserve
	case history.Unlocked:
		result.StartRound, result.EndRound = e.StartRound.String(), e.EndRound.String()
	}
	if t := e.Redemption; t != nil {
		result.Redemption = &redemptionResult{
			Recipient: format.Address(t.Recipient), FaceValue: t.FaceValue.String(), Paid: e.Paid().String(), WinProb: t.WinProb.String(),
			SenderNonce: t.SenderNonce.String(), RecipientRandHash: t.RecipientRandHash, CreationRound: t.CreationRound.String(),
			Match: string(t.Match),
		}
		if m := t.Made; m != nil {
			result.Redemption.Made = &madeResult{
				At: m.At, FirstNonce: fmt.Sprint(m.Nonces.First), Tickets: fmt.Sprint(m.Nonces.Count), TicketEV: m.TicketEV.RatString(),
			}
		}
	}
	return result
}

func newTotals(events []history.Event) totalsResult {
	type sums struct{ deposit, reserve big.Int }
	var funded, withdrawn, paid sums
	redemptions, unmatched := 0, 0
	for _, e := range events {
		into := &funded
		switch {
		case e.Kind == history.Withdrawn:
			into = &withdrawn
		case e.Redemption != nil:
			into = &paid
			redemptions++
			if e.Redemption.Match != history.Matched {
				unmatched++
			}
		}
		into.deposit.Add(&into.deposit, e.Deposit.Big())
		into.reserve.Add(&into.reserve, e.Reserve.Big())
	}
	return totalsResult{
		DepositFunded: funded.deposit.String(), ReserveFunded: funded.reserve.String(),
		DepositWithdrawn: withdrawn.deposit.String(), ReserveWithdrawn: withdrawn.reserve.String(),
		DepositPaid: paid.deposit.String(), ReservePaid: paid.reserve.String(),
		Redemptions: fmt.Sprint(redemptions), Unmatched: fmt.Sprint(unmatched),
	}
}

func newLuck(d *history.Draw) luckResult {
	atLeast, atMost := d.Luck()
	return luckResult{
		Tickets: fmt.Sprint(d.Drawn.Tickets), EV: d.Drawn.EV.RatString(), ExpectedWins: d.Expected,
		Wins: fmt.Sprint(d.Wins), Paid: d.Paid.String(), ProbabilityAtMost: atMost, ProbabilityAtLeast: atLeast,
		Outstanding: fmt.Sprint(d.Outstanding.Tickets),
		ev:          d.Drawn.EV, paid: new(big.Rat).SetInt(d.Paid), wins: d.Wins,
	}
}
