package history

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Kind is what happened.
type Kind string

// What happens to a sender's funds.
const (
	DepositFunded   Kind = "deposit_funded"
	ReserveFunded   Kind = "reserve_funded"
	Unlocked        Kind = "unlock"
	UnlockCancelled Kind = "unlock_cancelled"
	Withdrawn       Kind = "withdrawal"
	Redeemed        Kind = "redemption"
)

// Event is one thing that happened.
type Event struct {
	Kind Kind
	// Block is the block's own number, Index the event's in it.
	Block uint64
	Index uint
	Time  time.Time
	Tx    common.Hash

	// Deposit and Reserve are what was added to each, or withdrawn of each, or paid from
	// each by a redemption.
	Deposit, Reserve wei.Wei

	// StartRound is when an unlock began, EndRound from when funds can be withdrawn.
	StartRound, EndRound *big.Int

	// Redemption is what is behind a redemption.
	Redemption *Redemption
}

// Paid is what a redemption came to, in wei.
func (e Event) Paid() *big.Int { return new(big.Int).Add(e.Deposit.Big(), e.Reserve.Big()) }

// Redemption is a ticket that won, and was redeemed.
type Redemption struct {
	Recipient common.Address
	// FaceValue is what the ticket promised, in wei. More than deposit and reserve share
	// have is not paid.
	FaceValue *big.Int
	// WinProb is the numerator of the probability to win, over 2^256-1.
	WinProb *big.Int
	// SenderNonce has 32 bits in every ticket that pmctl makes, and 256 in the event.
	SenderNonce       *big.Int
	RecipientRandHash common.Hash
	CreationRound     *big.Int

	// Match tells whether the ticket is in the ledger; Made is the entry then.
	Match Match
	Made  *store.Reservation
}

// Match is how a redeemed ticket stands to the ledger.
type Match string

const (
	// Matched tickets are as they were made.
	Matched Match = "matched"
	// Unknown tickets were made with another store, or by another program.
	Unknown Match = "unknown"
	// Contradicts is a ticket that the ledger has in another form.
	Contradicts Match = "contradicts"
)

// ErrEvents is returned for events that do not fit together as the contract's do.
var ErrEvents = errors.New("the events are not as the TicketBroker makes them")

// Decode puts together what happened, in the chain's order.
func Decode(logs []Log) ([]Event, error) {
	d := decoder{}
	for _, log := range logs {
		if err := d.add(log); err != nil {
			return nil, fmt.Errorf("transaction %v, event %d: %w", log.TxHash, log.Index, err)
		}
	}
	if d.claimed != nil || d.paid != nil {
		return nil, fmt.Errorf("%w: a payment without its ticket in the last transaction", ErrEvents)
	}
	return d.events, nil
}

type decoder struct {
	events []Event
	// claimed and paid belong to the ticket of the next redemption, in the transaction tx.
	claimed, paid *big.Int
	recipient     common.Address
	tx            common.Hash
}

func (d *decoder) add(log Log) error {
	event, err := broker.Decode(&log.Log)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvents, err)
	}
	if (d.claimed != nil || d.paid != nil) && log.TxHash != d.tx {
		return fmt.Errorf("%w: the payment before it has no ticket", ErrEvents)
	}
	e := Event{Block: log.BlockNumber, Index: log.Index, Time: log.Time, Tx: log.TxHash}
	switch its := event.(type) {
	// What a redemption pays, the contract tells before the ticket.
	case *contract.TicketBrokerReserveClaimed:
		d.tx, d.claimed = log.TxHash, its.Amount
		return nil
	case *contract.TicketBrokerWinningTicketTransfer:
		d.tx, d.paid, d.recipient = log.TxHash, its.Amount, its.Recipient
		return nil
	case *contract.TicketBrokerWinningTicketRedeemed:
		err = d.redemption(&e, its)
	default:
		err = d.funds(&e, event)
	}
	if err == nil {
		d.events = append(d.events, e)
	}
	return err
}

func (d *decoder) redemption(e *Event, ticket *contract.TicketBrokerWinningTicketRedeemed) error {
	paid, claimed := orZero(d.paid), orZero(d.claimed)
	if d.paid != nil && d.recipient != ticket.Recipient || claimed.Cmp(paid) > 0 {
		return fmt.Errorf("%w: the ticket pays %v, and the payment before it is another's", ErrEvents, ticket.Recipient)
	}
	d.paid, d.claimed = nil, nil
	e.Kind = Redeemed
	e.Redemption = &Redemption{
		Recipient: ticket.Recipient, FaceValue: ticket.FaceValue, WinProb: ticket.WinProb, SenderNonce: ticket.SenderNonce,
		RecipientRandHash: crypto.Keccak256Hash(common.BigToHash(ticket.RecipientRand).Bytes()),
		CreationRound:     new(big.Int), Match: Unknown,
	}
	if len(ticket.AuxData) >= common.HashLength {
		e.Redemption.CreationRound.SetBytes(ticket.AuxData[:common.HashLength])
	}
	return amounts(e, new(big.Int).Sub(paid, claimed), claimed)
}

// funds reads the events that are complete in themselves.
func (d *decoder) funds(e *Event, event bind.ContractEvent) error {
	if d.paid != nil || d.claimed != nil {
		return fmt.Errorf("%w: %s between a payment and its ticket", ErrEvents, event.ContractEventName())
	}
	deposit, reserve := new(big.Int), new(big.Int)
	switch its := event.(type) {
	case *contract.TicketBrokerDepositFunded:
		e.Kind, deposit = DepositFunded, its.Amount
	case *contract.TicketBrokerReserveFunded:
		e.Kind, reserve = ReserveFunded, its.Amount
	case *contract.TicketBrokerUnlock:
		e.Kind, e.StartRound, e.EndRound = Unlocked, its.StartRound, its.EndRound
	case *contract.TicketBrokerUnlockCancelled:
		e.Kind = UnlockCancelled
	case *contract.TicketBrokerWithdrawal:
		e.Kind, deposit, reserve = Withdrawn, its.Deposit, its.Reserve
	}
	return amounts(e, deposit, reserve)
}

func amounts(e *Event, deposit, reserve *big.Int) (err error) {
	if e.Deposit, err = wei.FromBig(deposit); err == nil {
		e.Reserve, err = wei.FromBig(reserve)
	}
	return err
}

func orZero(v *big.Int) *big.Int {
	if v == nil {
		return new(big.Int)
	}
	return v
}
