package history

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Kind is the kind of an event.
type Kind string

// The kinds of events.
const (
	DepositFunded   Kind = "deposit_funded"
	ReserveFunded   Kind = "reserve_funded"
	Unlocked        Kind = "unlock"
	UnlockCancelled Kind = "unlock_cancelled"
	Withdrawn       Kind = "withdrawal"
	Redeemed        Kind = "redemption"
)

// Event is one event. Amounts are never negative: the kind gives their direction.
type Event struct {
	Kind Kind      `json:"kind"`
	Time time.Time `json:"time"`
	// Block is the block's number, Index the event's position in it.
	Block uint64      `json:"block"`
	Index uint        `json:"log_index"`
	Tx    common.Hash `json:"transaction_hash"`

	// Deposit and Reserve are the amounts added, withdrawn, or paid by a redemption; nil if the
	// kind has none.
	Deposit *wei.Wei `json:"deposit,omitempty"`
	Reserve *wei.Wei `json:"reserve,omitempty"`

	// StartRound is when an unlock began, WithdrawRound when the funds can be withdrawn.
	StartRound    *format.BigNum `json:"start_round,omitempty"`
	WithdrawRound *format.BigNum `json:"withdraw_round,omitempty"`

	// Redemption has the ticket of a redemption.
	Redemption *Redemption `json:"redemption,omitempty"`
}

// Redemption is a winning ticket that was redeemed.
type Redemption struct {
	Recipient format.Address `json:"recipient"`
	// FaceValue is the ticket's face value. What deposit and reserve share do not cover is not
	// paid.
	FaceValue wei.Wei `json:"face_value"`
	Paid      wei.Wei `json:"paid"`
	// WinProb is the numerator of the win probability, over 2^256-1.
	WinProb *uint256.Int `json:"win_prob"`
	// SenderNonce has 32 bits in pmctl's tickets, and 256 in the event.
	SenderNonce       format.BigNum `json:"nonce"`
	RecipientRandHash common.Hash   `json:"recipient_rand_hash"`
	CreationRound     format.BigNum `json:"creation_round"`

	// Match reports whether the ticket is in the ledger; Made is then its entry.
	Match Match `json:"match"`
	Made  *Made `json:"made,omitempty"`
}

// Made is the ledger entry of a ticket.
type Made struct {
	At         time.Time `json:"created_at"`
	FirstNonce uint32    `json:"first_nonce"`
	Tickets    uint32    `json:"tickets"`
	format.TicketEV
	// Client is the client of a remote signer whose ticket it was; MatchAll sets its ID.
	Client string `json:"client,omitempty"`
}

// Match is how a redeemed ticket relates to the ledger.
type Match string

const (
	// Matched tickets are as in the ledger.
	Matched Match = "matched"
	// Unknown tickets were created with another store or program.
	Unknown Match = "unknown"
	// Contradicts is a ticket that differs from its ledger entry.
	Contradicts Match = "contradicts"
)

// ErrEvents is returned for events that the contract would not emit in this way.
var ErrEvents = errors.New("the node's events are not consistent with the TicketBroker")

// Decode combines the logs into events, in the chain's order. The logs have their blocks' times. It
// returns ErrEvents.
func Decode(logs []types.Log) ([]Event, error) {
	var d decoder
	for _, log := range logs {
		if err := d.add(&log); err != nil {
			return nil, fmt.Errorf("transaction %v, event %d: %w", log.TxHash, log.Index, err)
		}
	}
	if d.pays() {
		return nil, fmt.Errorf("%w: a payment without a ticket in the last transaction", ErrEvents)
	}
	return d.events, nil
}

type decoder struct {
	events []Event
	// claimed and paid are for the ticket of the next redemption, in the transaction tx.
	claimed, paid *big.Int
	recipient     common.Address
	tx            common.Hash
}

// pays reports whether a payment waits for its ticket.
func (d *decoder) pays() bool { return d.claimed != nil || d.paid != nil }

func (d *decoder) add(log *types.Log) error {
	event, err := broker.Decode(log)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvents, err)
	}
	if d.pays() && log.TxHash != d.tx {
		return fmt.Errorf("%w: the payment before it has no ticket", ErrEvents)
	}
	e := Event{Block: log.BlockNumber, Index: log.Index, Time: time.Unix(int64(log.BlockTimestamp), 0).UTC(), Tx: log.TxHash}
	switch its := event.(type) {
	// The contract emits a redemption's payments before its ticket.
	case *contract.TicketBrokerReserveClaimed:
		d.tx, d.claimed = log.TxHash, its.Amount
		return nil
	case *contract.TicketBrokerWinningTicketTransfer:
		d.tx, d.paid, d.recipient = log.TxHash, its.Amount, its.Recipient
		return nil
	case *contract.TicketBrokerWinningTicketRedeemed:
		if err := d.redemption(&e, its); err != nil {
			return err
		}
	default:
		if d.pays() {
			return fmt.Errorf("%w: %s between a payment and its ticket", ErrEvents, event.ContractEventName())
		}
		e.funds(event)
	}
	d.events = append(d.events, e)
	return nil
}

func (d *decoder) redemption(e *Event, ticket *contract.TicketBrokerWinningTicketRedeemed) error {
	paid, claimed := cmp.Or(d.paid, new(big.Int)), cmp.Or(d.claimed, new(big.Int))
	if d.paid != nil && d.recipient != ticket.Recipient || claimed.Cmp(paid) > 0 {
		return fmt.Errorf("%w: the ticket pays %v, but the payment before it went to another recipient", ErrEvents, ticket.Recipient)
	}
	d.paid, d.claimed = nil, nil
	e.Kind, e.Deposit, e.Reserve = Redeemed, amount(new(big.Int).Sub(paid, claimed)), amount(claimed)
	e.Redemption = &Redemption{
		Recipient: format.Address(ticket.Recipient), FaceValue: *amount(ticket.FaceValue), Paid: *amount(paid),
		WinProb: number(ticket.WinProb), SenderNonce: format.NewBigNum(ticket.SenderNonce),
		RecipientRandHash: crypto.Keccak256Hash(common.BigToHash(ticket.RecipientRand).Bytes()),
		Match:             Unknown,
	}
	if len(ticket.AuxData) >= common.HashLength {
		e.Redemption.CreationRound = format.NewBigNum(new(big.Int).SetBytes(ticket.AuxData[:common.HashLength]))
	}
	return nil
}

// funds decodes the events that are complete by themselves.
func (e *Event) funds(event bind.ContractEvent) {
	switch its := event.(type) {
	case *contract.TicketBrokerDepositFunded:
		e.Kind, e.Deposit = DepositFunded, amount(its.Amount)
	case *contract.TicketBrokerReserveFunded:
		e.Kind, e.Reserve = ReserveFunded, amount(its.Amount)
	case *contract.TicketBrokerUnlock:
		start, end := format.NewBigNum(its.StartRound), format.NewBigNum(its.EndRound)
		e.Kind, e.StartRound, e.WithdrawRound = Unlocked, &start, &end
	case *contract.TicketBrokerUnlockCancelled:
		e.Kind = UnlockCancelled
	case *contract.TicketBrokerWithdrawal:
		e.Kind, e.Deposit, e.Reserve = Withdrawn, amount(its.Deposit), amount(its.Reserve)
	}
}

// number decodes a word of an event, of at most 256 bits.
func number(v *big.Int) *uint256.Int {
	n, _ := uint256.FromBig(v)
	return n
}

// amount decodes a word of an event that is in wei.
func amount(v *big.Int) *wei.Wei {
	w, _ := wei.FromBig(v)
	return &w
}
