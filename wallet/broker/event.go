package broker

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/contract"
)

// ErrEvent is wrapped by errors about logs that are not events of the contract.
var ErrEvent = errors.New("not an event of the TicketBroker")

// Decode reads an event: a pointer to one of package contract's TicketBroker types. It fails
// with ErrEvent.
func Decode(log *types.Log) (event bind.ContractEvent, err error) {
	if len(log.Topics) == 0 {
		return nil, fmt.Errorf("%w: it has no topics", ErrEvent)
	}
	broker := contract.NewTicketBroker()
	known := broker.GetABI()
	kind, err := known.EventByID(log.Topics[0])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	if len(log.Data) == 0 && len(kind.Inputs.NonIndexed()) > 0 {
		return nil, fmt.Errorf("%w: %s is empty", ErrEvent, kind.Name) // the bindings accept it
	}
	switch kind.Name {
	case contract.TicketBrokerDepositFundedEventName:
		event, err = broker.UnpackDepositFundedEvent(log)
	case contract.TicketBrokerReserveFundedEventName:
		event, err = broker.UnpackReserveFundedEvent(log)
	case contract.TicketBrokerUnlockEventName:
		event, err = broker.UnpackUnlockEvent(log)
	case contract.TicketBrokerUnlockCancelledEventName:
		event, err = broker.UnpackUnlockCancelledEvent(log)
	case contract.TicketBrokerWithdrawalEventName:
		event, err = broker.UnpackWithdrawalEvent(log)
	case contract.TicketBrokerReserveClaimedEventName:
		event, err = broker.UnpackReserveClaimedEvent(log)
	case contract.TicketBrokerWinningTicketTransferEventName:
		event, err = broker.UnpackWinningTicketTransferEvent(log)
	case contract.TicketBrokerWinningTicketRedeemedEventName:
		event, err = broker.UnpackWinningTicketRedeemedEvent(log)
	default:
		err = errors.New("no decoder for " + kind.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	return event, nil
}

// Filter are the topics that select the events of a sender, which is the first indexed argument
// of each.
func Filter(sender common.Address) []any {
	events := contract.NewTicketBroker().GetABI().Events
	var kinds []common.Hash
	for _, name := range slices.Sorted(maps.Keys(events)) {
		kinds = append(kinds, events[name].ID)
	}
	return []any{kinds, common.BytesToHash(sender[:])}
}

// SenderOf returns the sender of a log's event; zero if it is none.
func SenderOf(log types.Log) common.Address {
	if len(log.Topics) < 2 {
		return common.Address{}
	}
	known := contract.NewTicketBroker().GetABI()
	if _, err := known.EventByID(log.Topics[0]); err != nil {
		return common.Address{}
	}
	return common.BytesToAddress(log.Topics[1][:])
}
