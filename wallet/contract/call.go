package contract

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
)

// Call is a call of the TicketBroker that pmctl makes: one that moves the sender's own
// funds, or one that redeems tickets. It is read from what is signed.
type Call struct {
	// Function is the contract's name for it.
	Function string

	// Deposit and Reserve are what it funds, in wei; nil where it funds nothing.
	Deposit, Reserve *big.Int

	// Beneficiary is whose deposit and reserve it funds; nil is the sender's own.
	Beneficiary *common.Address

	// Tickets is how many tickets it redeems.
	Tickets int
}

// ErrCall is wrapped by the errors about a call that pmctl does not make.
var ErrCall = errors.New("not a call that pmctl makes")

// ParseCall reads a transaction's value, in wei, and data as a call of the TicketBroker.
// It fails with ErrCall for any other function, for data that is not exactly the
// function's arguments, and for a value other than what the function takes.
func ParseCall(value *big.Int, data []byte) (*Call, error) {
	broker := NewTicketBroker().GetABI()
	if len(data) < 4 {
		return nil, fmt.Errorf("%w: %d bytes of data name no function of the TicketBroker", ErrCall, len(data))
	}
	method, err := broker.MethodById(data[:4])
	if err != nil {
		return nil, fmt.Errorf("%w: the TicketBroker has no function with the selector 0x%x", ErrCall, data[:4])
	}
	values, err := method.Inputs.Unpack(data[4:])
	if err != nil {
		return nil, fmt.Errorf("%w: the data of %s cannot be decoded: %w", ErrCall, method.Name, err)
	}
	// What the decoder passes over would be signed unseen.
	if again, err := method.Inputs.Pack(values...); err != nil || !bytes.Equal(again, data[4:]) {
		return nil, fmt.Errorf("%w: the data of %s is more than its arguments", ErrCall, method.Name)
	}
	call, takes := &Call{Function: method.Name}, new(big.Int)
	switch method.Name {
	case "fundDeposit":
		call.Deposit, call.Reserve, takes = value, new(big.Int), value
	case "fundReserve":
		call.Deposit, call.Reserve, takes = new(big.Int), value, value
	case "fundDepositAndReserve":
		call.Deposit, call.Reserve = values[0].(*big.Int), values[1].(*big.Int)
		takes.Add(call.Deposit, call.Reserve)
	case "fundDepositAndReserveFor":
		beneficiary := values[0].(common.Address)
		call.Beneficiary, call.Deposit, call.Reserve = &beneficiary, values[1].(*big.Int), values[2].(*big.Int)
		takes.Add(call.Deposit, call.Reserve)
	case "unlock", "cancelUnlock", "withdraw":
	case "redeemWinningTicket":
		call.Tickets = 1
	case "batchRedeemWinningTickets":
		call.Tickets = len(values[1].([][]byte))
	default:
		return nil, fmt.Errorf("%w: %s of the TicketBroker", ErrCall, method.Name)
	}
	if value.Cmp(takes) != 0 {
		return nil, fmt.Errorf("%w: %s takes a value of %v wei, and the transaction has %v wei", ErrCall, method.Name, takes, value)
	}
	return call, nil
}
