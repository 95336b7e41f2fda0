package broker

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Event is something that the TicketBroker says it did.
type Event struct {
	Name string `json:"name"`

	// Fields are the event's, amounts in wei, as decimal digits.
	Fields map[string]string `json:"fields"`

	text string
}

// String says it for people.
func (e Event) String() string { return e.text }

// Reader makes an event of a log, and is false for logs that it does not know.
type Reader func(*types.Log) (Event, bool)

// Events are the contract's events among logs that read knows, in order.
func Events(ticketBroker common.Address, logs []*types.Log, read Reader) []Event {
	var events []Event
	for _, log := range logs {
		if log.Address != ticketBroker {
			continue
		}
		if e, ok := read(log); ok {
			events = append(events, e)
		}
	}
	return events
}

// ReadAny reads the events of every call that this program makes.
func ReadAny(log *types.Log) (Event, bool) {
	for _, read := range []Reader{readFunding, ReadUnlock, ReadCancel, ReadWithdrawal, readRedemption} {
		if e, ok := read(log); ok {
			return e, true
		}
	}
	return Event{}, false
}

// ReadFunding reads what a funding does, to the sender's own unlock as well.
func ReadFunding(log *types.Log) (Event, bool) {
	if e, ok := readFunding(log); ok {
		return e, true
	}
	return ReadCancel(log)
}

func readFunding(log *types.Log) (Event, bool) {
	broker := contract.NewTicketBroker()
	if e, err := broker.UnpackDepositFundedEvent(log); err == nil {
		return grew("DepositFunded", "deposit", e.Sender, e.Amount), true
	}
	if e, err := broker.UnpackReserveFundedEvent(log); err == nil {
		return grew("ReserveFunded", "reserve", e.ReserveHolder, e.Amount), true
	}
	return Event{}, false
}

// grew is an event that adds an amount to a sender's deposit or reserve.
func grew(name, what string, whose common.Address, amount *big.Int) Event {
	return Event{
		Name:   name,
		Fields: map[string]string{"sender": whose.Hex(), "amount": amount.String()},
		text:   fmt.Sprintf("%s of %s grew by %s", what, whose, wei.Text(amount)),
	}
}

// ReadUnlock reads the start of an unlock.
func ReadUnlock(log *types.Log) (Event, bool) {
	e, err := contract.NewTicketBroker().UnpackUnlockEvent(log)
	if err != nil {
		return Event{}, false
	}
	return Event{
		Name:   "Unlock",
		Fields: map[string]string{"sender": e.Sender.Hex(), "start_round": e.StartRound.String(), "end_round": e.EndRound.String()},
		text:   fmt.Sprintf("unlocking since round %v; withdraw from round %v", e.StartRound, e.EndRound),
	}, true
}

// ReadCancel reads the end of an unlock that was cancelled.
func ReadCancel(log *types.Log) (Event, bool) {
	e, err := contract.NewTicketBroker().UnpackUnlockCancelledEvent(log)
	if err != nil {
		return Event{}, false
	}
	return Event{
		Name:   "UnlockCancelled",
		Fields: map[string]string{"sender": e.Sender.Hex()},
		text:   "the funds of " + e.Sender.Hex() + " are locked again",
	}, true
}

// ReadWithdrawal reads a withdrawal.
func ReadWithdrawal(log *types.Log) (Event, bool) {
	e, err := contract.NewTicketBroker().UnpackWithdrawalEvent(log)
	if err != nil {
		return Event{}, false
	}
	return Event{
		Name:   "Withdrawal",
		Fields: map[string]string{"sender": e.Sender.Hex(), "deposit": e.Deposit.String(), "reserve": e.Reserve.String()},
		text:   fmt.Sprintf("withdrew %s of deposit and %s of reserve", wei.Text(e.Deposit), wei.Text(e.Reserve)),
	}, true
}

func readRedemption(log *types.Log) (Event, bool) {
	e, err := contract.NewTicketBroker().UnpackWinningTicketRedeemedEvent(log)
	if err != nil {
		return Event{}, false
	}
	return Event{
		Name: "WinningTicketRedeemed",
		Fields: map[string]string{
			"sender": e.Sender.Hex(), "recipient": e.Recipient.Hex(), "face_value": e.FaceValue.String(), "sender_nonce": e.SenderNonce.String(),
		},
		text: fmt.Sprintf("redeemed the ticket of %s with nonce %v", e.Sender, e.SenderNonce),
	}, true
}
