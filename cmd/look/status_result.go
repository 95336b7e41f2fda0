package look

import (
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// statusResult is what pmctl status answers.
type statusResult struct {
	Network string         `json:"network"`
	ChainID string         `json:"chain_id"`
	Account format.Address `json:"sender"`
	Balance wei.Wei        `json:"balance"`
	Deposit wei.Wei        `json:"deposit"`
	Reserve wei.Wei        `json:"reserve"`
	// ReservePerRecipient is what one recipient can claim of the reserve in a round.
	ReservePerRecipient wei.Wei `json:"reserve_per_recipient"`
	// Lock is empty, locked, unlocking or unlocked.
	Lock broker.Lock `json:"lock"`
	// WithdrawRound is set while an unlock is in progress or done.
	WithdrawRound *format.BigNum `json:"withdraw_round,omitempty"`
	RoundsLeft    *format.BigNum `json:"rounds_left,omitempty"`
	// ReadyAt is about when the withdraw round begins.
	ReadyAt *time.Time  `json:"ready_at,omitempty"`
	Round   roundResult `json:"round"`
	Block   blockResult `json:"block"`
	Paused  bool        `json:"paused"`
	Offer   offerResult `json:"offer"`
	// OpenTransactions are those of the journal that are not known to be mined; absent
	// where there is no journal.
	OpenTransactions *int            `json:"open_transactions,omitempty"`
	Warnings         []warning       `json:"warnings"`
	Contracts        contractsResult `json:"contracts"`

	status *check.Status
}

type contractsResult struct {
	Controller      format.Address `json:"controller"`
	TicketBroker    format.Address `json:"ticket_broker"`
	RoundsManager   format.Address `json:"rounds_manager"`
	BondingManager  format.Address `json:"bonding_manager"`
	ServiceRegistry format.Address `json:"service_registry"`
}

type roundResult struct {
	Current         format.BigNum `json:"current"`
	LastInitialized format.BigNum `json:"last_initialized"`
	Initialized     bool          `json:"initialized"`
	UnlockPeriod    format.BigNum `json:"unlock_period"`
}

type blockResult struct {
	Number  uint64    `json:"number"`
	L1Block uint64    `json:"l1_block"`
	Time    time.Time `json:"time"`
}

// warning is something about an account that its owner should know.
type warning struct {
	// Code names it for programs.
	Code string `json:"code"`
	// Problem tells that it keeps payments from being made, or is below what the owner
	// wants, and so fails a check.
	Problem bool   `json:"problem"`
	Message string `json:"message"`

	err error // what the problem is, as the table of exit codes knows it
}

// offerResult is what a recipient with the deployed node's usual settings would ask of
// the account at this moment.
type offerResult struct {
	Accepted bool `json:"accepted"`
	// Reason says why there is no offer.
	Reason string `json:"reason,omitempty"`
	// FaceValue is what it would ask for; without an offer, the most it could.
	FaceValue wei.Wei `json:"face_value"`
	// WantedFaceValue is what it would ask of a sender with any reserve.
	WantedFaceValue wei.Wei `json:"wanted_face_value"`
	format.TicketEV
	// MaxFloat is the most that one ticket may be worth to it, if it has claimed nothing
	// in this round and nothing of the sender's is in flight.
	MaxFloat         wei.Wei `json:"max_float"`
	GasPrice         wei.Wei `json:"gas_price"`
	RedeemGas        int     `json:"redeem_gas"`
	TxCostMultiplier int     `json:"tx_cost_multiplier"`
}

func newStatusResult(s *check.Status) *statusResult {
	result := &statusResult{
		status:              s,
		Network:             s.Network.Name,
		ChainID:             fmt.Sprint(s.Network.ChainID),
		Account:             format.Address(s.Account),
		Balance:             s.Sender.Balance,
		Deposit:             s.Sender.Deposit,
		Reserve:             s.Sender.Reserve,
		ReservePerRecipient: s.ReservePerRecipient,
		Lock:                s.Lock(),
		Round:               roundResult{format.NewBigNum(s.Round.Current), format.NewBigNum(s.Round.LastInitialized), s.Round.Initialized, format.NewBigNum(s.UnlockPeriod)},
		Block:               blockResult{s.Head.Number, s.Head.L1Block, s.Head.Time},
		Paused:              s.Paused,
		Offer: offerResult{
			Accepted:         s.Offer.Refused == nil,
			FaceValue:        s.Offer.FaceValue,
			WantedFaceValue:  s.Offer.WantedFaceValue,
			TicketEV:         format.NewTicketEV(s.Offer.EV.Rat()),
			MaxFloat:         s.Offer.MaxFloat,
			GasPrice:         s.GasPrice,
			RedeemGas:        s.Offer.Terms.RedeemGas,
			TxCostMultiplier: s.Offer.Terms.TxCostMultiplier,
		},
		OpenTransactions: s.Open,
		Warnings:         make([]warning, len(s.Findings)),
		Contracts: contractsResult{
			Controller:      format.Address(s.Contracts.Controller),
			TicketBroker:    format.Address(s.Contracts.TicketBroker),
			RoundsManager:   format.Address(s.Contracts.RoundsManager),
			BondingManager:  format.Address(s.Contracts.BondingManager),
			ServiceRegistry: format.Address(s.Contracts.ServiceRegistry),
		},
	}
	if s.Sender.Unlocking() {
		round, left := format.NewBigNum(s.Sender.WithdrawRound), format.NewBigNum(s.RoundsLeft())
		result.WithdrawRound, result.RoundsLeft = &round, &left
	}
	if at, ok := s.WithdrawTime(); ok {
		result.ReadyAt = &at
	}
	if s.Offer.Refused != nil {
		result.Offer.Reason = s.Offer.Refused.Error()
	}
	for i, f := range s.Findings {
		result.Warnings[i] = warning{f.ID, f.State == check.Failed, f.Found, f.Err}
	}
	return result
}

// write prints the status for a person, with the contracts' addresses if they are asked for,
// and then a paragraph for each problem.
func (s *statusResult) write(w *page.Page, withContracts bool) {
	fields := s.fields(w)
	if withContracts {
		fields = append(fields, s.Contracts.fields()...)
	}
	w.Fields(fields)
	for _, warning := range s.Warnings {
		label := w.Dim("notice:") + " "
		if warning.Problem {
			label = w.Yellow("warning:") + " "
		}
		w.Paragraph(label + warning.Message)
	}
}

// readiness is whether tickets can be made and paid, in a few words.
func (s *statusResult) readiness(w *page.Page) string {
	problems := 0
	for _, warning := range s.Warnings {
		if warning.Problem {
			problems++
		}
	}
	if problems > 0 {
		return w.Yellow(words.Count(problems, "problem") + ", see below")
	}
	return w.Green("ready to pay")
}

func (s *statusResult) fields(w *page.Page) []page.Field {
	round, block := s.Round.Current.String(), fmt.Sprint(s.Block.Number)
	if !s.Round.Initialized {
		round += " (not initialized; last initialized " + s.Round.LastInitialized.String() + ")"
	}
	if s.Block.L1Block != s.Block.Number {
		block += fmt.Sprintf(" (L1 block %d)", s.Block.L1Block)
	}
	offer := w.Yellow("none") + ": the reserve is too small for a typical orchestrator"
	if s.Offer.Accepted {
		offer = fmt.Sprintf("face value %s (typical orchestrator)", s.Offer.FaceValue)
	}
	unlocking := ""
	if s.WithdrawRound != nil {
		unlocking = fmt.Sprintf("%s; withdraw from round %s (%s left)", w.Yellow("unlocking"), s.WithdrawRound, words.Plural(s.RoundsLeft.String(), "round"))
	}
	lock := map[broker.Lock]string{
		broker.Empty:     "nothing is deposited",
		broker.Locked:    w.Green("locked"),
		broker.Unlocking: unlocking,
		broker.Unlocked:  w.Yellow("unlocked") + "; pmctl withdraw pays out",
	}[s.Lock]
	reserve := s.Reserve.String()
	if s.ReservePerRecipient != s.Reserve {
		reserve += fmt.Sprintf(" (%s per recipient)", s.ReservePerRecipient)
	}
	fields := []page.Field{
		{"status", s.readiness(w)},
		{"deposit", s.Deposit.String()},
		{"reserve", reserve},
		{"lock", lock},
	}
	if s.ReadyAt != nil {
		fields = append(fields, page.Field{"withdraw at", "about " + s.ReadyAt.Format(time.RFC3339)})
	}
	fields = append(fields,
		page.Field{"offer", offer},
		page.Field{"balance", s.Balance.String()},
		page.Field{"account", common.Address(s.Account).Hex()},
		page.Field{"network", fmt.Sprintf("%s (chain ID %s)", s.Network, s.ChainID)},
		page.Field{"round", round},
		page.Field{"block", block + " at " + s.Block.Time.Format(time.RFC3339)})
	if s.Paused {
		fields = append(fields, page.Field{"paused", w.Red("the contracts are paused") + ": nothing can be sent"})
	}
	return fields
}

func (c contractsResult) fields() []page.Field {
	hex := func(a format.Address) string { return common.Address(a).Hex() }
	return []page.Field{
		{"controller", hex(c.Controller)},
		{"ticket broker", hex(c.TicketBroker)},
		{"rounds manager", hex(c.RoundsManager)},
		{"bonding manager", hex(c.BondingManager)},
		{"service registry", hex(c.ServiceRegistry)},
	}
}
