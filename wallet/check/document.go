package check

import (
	"fmt"
	"time"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Document is a Status as JSON has it.
type Document struct {
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
	ReadyAt *time.Time    `json:"ready_at,omitempty"`
	Round   documentRound `json:"round"`
	Block   documentBlock `json:"block"`
	Paused  bool          `json:"paused"`
	Offer   documentOffer `json:"offer"`
	// OpenTransactions are those of the journal that are not known to be mined; absent
	// where there is no journal.
	OpenTransactions *int              `json:"open_transactions,omitempty"`
	Warnings         []DocumentWarning `json:"warnings"`
	Contracts        documentContracts `json:"contracts"`

	Status *Status `json:"-"`
}

type documentContracts struct {
	Controller      format.Address `json:"controller"`
	TicketBroker    format.Address `json:"ticket_broker"`
	RoundsManager   format.Address `json:"rounds_manager"`
	BondingManager  format.Address `json:"bonding_manager"`
	ServiceRegistry format.Address `json:"service_registry"`
}

type documentRound struct {
	Current         format.BigNum `json:"current"`
	LastInitialized format.BigNum `json:"last_initialized"`
	Initialized     bool          `json:"initialized"`
	UnlockPeriod    format.BigNum `json:"unlock_period"`
}

type documentBlock struct {
	Number  uint64    `json:"number"`
	L1Block uint64    `json:"l1_block"`
	Time    time.Time `json:"time"`
}

// DocumentWarning is something about an account that its owner should know.
type DocumentWarning struct {
	// Code names it for programs.
	Code string `json:"code"`
	// Problem reports whether it keeps payments from being made, or is below what the owner
	// wants, and so fails a check.
	Problem bool   `json:"problem"`
	Message string `json:"message"`

	// Err is what the problem is, as the table of exit codes knows it.
	Err error `json:"-"`
}

// documentOffer is what a recipient with the deployed node's usual settings would ask of
// the account at this moment.
type documentOffer struct {
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

// NewDocument is a status as JSON has it.
func NewDocument(s *Status) *Document {
	result := &Document{
		Status:              s,
		Network:             s.Network.Name,
		ChainID:             fmt.Sprint(s.Network.ChainID),
		Account:             format.Address(s.Account),
		Balance:             s.Sender.Balance,
		Deposit:             s.Sender.Deposit,
		Reserve:             s.Sender.Reserve,
		ReservePerRecipient: s.ReservePerRecipient,
		Lock:                s.Lock(),
		Round:               documentRound{format.NewBigNum(s.Round.Current), format.NewBigNum(s.Round.LastInitialized), s.Round.Initialized, format.NewBigNum(s.UnlockPeriod)},
		Block:               documentBlock{s.Head.Number, s.Head.L1Block, s.Head.Time},
		Paused:              s.Paused,
		Offer: documentOffer{
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
		Warnings:         make([]DocumentWarning, len(s.Findings)),
		Contracts: documentContracts{
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
		result.Warnings[i] = DocumentWarning{f.ID, f.State == Failed, f.Found, f.Err}
	}
	return result
}
