package history

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

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
	d := decoder{broker: contract.NewTicketBroker()}
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
	broker *contract.TicketBroker
	events []Event
	// claimed and paid belong to the ticket of the next redemption, in the transaction tx.
	claimed, paid *big.Int
	recipient     common.Address
	tx            common.Hash
}

func (d *decoder) add(log Log) error {
	if len(log.Topics) == 0 {
		return fmt.Errorf("%w: an event without a kind", ErrEvents)
	}
	abi := d.broker.GetABI()
	kind, err := abi.EventByID(log.Topics[0])
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvents, err)
	}
	if (d.claimed != nil || d.paid != nil) && log.TxHash != d.tx {
		return fmt.Errorf("%w: the payment before it has no ticket", ErrEvents)
	}
	e := Event{Block: log.BlockNumber, Index: log.Index, Time: log.Time, Tx: log.TxHash}
	switch kind.Name {
	case contract.TicketBrokerReserveClaimedEventName, contract.TicketBrokerWinningTicketTransferEventName:
		return d.payment(log)
	case contract.TicketBrokerWinningTicketRedeemedEventName:
		err = d.redemption(&e, log)
	default:
		err = d.funds(&e, log, kind.Name)
	}
	if err == nil {
		d.events = append(d.events, e)
	}
	return err
}

// payment keeps what a redemption pays, which the contract tells before the ticket.
func (d *decoder) payment(log Log) error {
	d.tx = log.TxHash
	if claim, err := d.broker.UnpackReserveClaimedEvent(&log.Log); err == nil {
		d.claimed = claim.Amount
		return nil
	}
	transfer, err := d.broker.UnpackWinningTicketTransferEvent(&log.Log)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvents, err)
	}
	d.paid, d.recipient = transfer.Amount, transfer.Recipient
	return nil
}

func (d *decoder) redemption(e *Event, log Log) error {
	ticket, err := d.broker.UnpackWinningTicketRedeemedEvent(&log.Log)
	if err == nil && ticket.RecipientRand == nil {
		err = errors.New("it is empty") // which the binding lets pass
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvents, err)
	}
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
func (d *decoder) funds(e *Event, log Log, name string) error {
	if d.paid != nil || d.claimed != nil {
		return fmt.Errorf("%w: %s between a payment and its ticket", ErrEvents, name)
	}
	deposit, reserve := new(big.Int), new(big.Int)
	var err error
	switch name {
	case contract.TicketBrokerDepositFundedEventName:
		funded, bad := d.broker.UnpackDepositFundedEvent(&log.Log)
		if err = bad; err == nil {
			e.Kind, deposit = DepositFunded, funded.Amount
		}
	case contract.TicketBrokerReserveFundedEventName:
		funded, bad := d.broker.UnpackReserveFundedEvent(&log.Log)
		if err = bad; err == nil {
			e.Kind, reserve = ReserveFunded, funded.Amount
		}
	case contract.TicketBrokerUnlockEventName:
		unlock, bad := d.broker.UnpackUnlockEvent(&log.Log)
		if err = bad; err == nil {
			e.Kind, e.StartRound, e.EndRound = Unlocked, unlock.StartRound, unlock.EndRound
		}
	case contract.TicketBrokerUnlockCancelledEventName:
		e.Kind = UnlockCancelled
	case contract.TicketBrokerWithdrawalEventName:
		withdrawal, bad := d.broker.UnpackWithdrawalEvent(&log.Log)
		if err = bad; err == nil {
			e.Kind, deposit, reserve = Withdrawn, withdrawal.Deposit, withdrawal.Reserve
		}
	default:
		err = fmt.Errorf("%s is none that was asked for", name)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvents, err)
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
