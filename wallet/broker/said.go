package broker

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Event is an event of the TicketBroker, for people and their programs.
type Event struct {
	Name string `json:"name"`

	// Fields are the event's, amounts in wei, as decimal digits.
	Fields map[string]string `json:"fields"`

	text string
}

// String describes the event in a sentence.
func (e Event) String() string { return e.text }

// Events are the contract's events in logs, in order: those with these names, or without names
// those of every call that pmctl makes.
func Events(ticketBroker common.Address, logs []*types.Log, names ...string) []Event {
	var events []Event
	for _, log := range logs {
		if log.Address != ticketBroker {
			continue
		}
		if e := said(log); e.Name != "" && (len(names) == 0 || slices.Contains(names, e.Name)) {
			events = append(events, e)
		}
	}
	return events
}

// said describes an event of a call that pmctl makes; any other has no name.
func said(log *types.Log) Event {
	event, err := Decode(log)
	if err != nil {
		return Event{}
	}
	fields, text := map[string]string{"sender": SenderOf(*log).Hex()}, ""
	switch e := event.(type) {
	case *contract.TicketBrokerDepositFunded:
		fields["amount"] = e.Amount.String()
		text = fmt.Sprintf("deposit of %s grew by %s", e.Sender, wei.Text(e.Amount))
	case *contract.TicketBrokerReserveFunded:
		fields["amount"] = e.Amount.String()
		text = fmt.Sprintf("reserve of %s grew by %s", e.ReserveHolder, wei.Text(e.Amount))
	case *contract.TicketBrokerUnlock:
		fields["start_round"], fields["withdraw_round"] = e.StartRound.String(), e.EndRound.String()
		text = fmt.Sprintf("unlocking since round %v; withdraw from round %v", e.StartRound, e.EndRound)
	case *contract.TicketBrokerUnlockCancelled:
		text = "the funds of " + e.Sender.Hex() + " are locked again"
	case *contract.TicketBrokerWithdrawal:
		fields["deposit"], fields["reserve"] = e.Deposit.String(), e.Reserve.String()
		text = withdrew(e.Deposit, e.Reserve)
	case *contract.TicketBrokerWinningTicketRedeemed:
		fields["recipient"], fields["face_value"], fields["sender_nonce"] = e.Recipient.Hex(), e.FaceValue.String(), e.SenderNonce.String()
		text = fmt.Sprintf("redeemed the ticket of %s with nonce %v", e.Sender, e.SenderNonce)
	default:
		return Event{}
	}
	return Event{event.ContractEventName(), fields, text}
}

// withdrew says what a withdrawal paid, without what was 0.
func withdrew(deposit, reserve *big.Int) string {
	switch {
	case reserve.Sign() == 0:
		return fmt.Sprintf("withdrew %s of deposit", wei.Text(deposit))
	case deposit.Sign() == 0:
		return fmt.Sprintf("withdrew %s of reserve", wei.Text(reserve))
	}
	return fmt.Sprintf("withdrew %s of deposit and %s of reserve", wei.Text(deposit), wei.Text(reserve))
}
