package broker

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Fund is the data of a call that adds to a deposit and a reserve: the caller's own, or the
// beneficiary's if that is not zero.
func Fund(deposit, reserve wei.Wei, beneficiary common.Address) []byte {
	if beneficiary == (common.Address{}) {
		return contract.NewTicketBroker().PackFundDepositAndReserve(deposit.Big(), reserve.Big())
	}
	return contract.NewTicketBroker().PackFundDepositAndReserveFor(beneficiary, deposit.Big(), reserve.Big())
}

// FundDeposit is the data of a call that adds its value to the caller's own deposit.
func FundDeposit() []byte { return contract.NewTicketBroker().PackFundDeposit() }

// Unlock is the data of a call that starts the caller's unlock period.
func Unlock() []byte { return contract.NewTicketBroker().PackUnlock() }

// CancelUnlock is the data of a call that ends it.
func CancelUnlock() []byte { return contract.NewTicketBroker().PackCancelUnlock() }

// Withdraw is the data of a call that pays out the caller's deposit and reserve.
func Withdraw() []byte { return contract.NewTicketBroker().PackWithdraw() }

// Redeem is the data of a call that redeems tickets. It fails with *pm.FieldError for a
// number that does not fit its field, and for a nil ticket.
func Redeem(signed ...*pm.SignedTicket) ([]byte, error) {
	tickets := make([]contract.ITicketBrokerTicket, len(signed))
	sigs := make([][]byte, len(signed))
	rands := make([]*big.Int, len(signed))
	for i, s := range signed {
		if s == nil {
			s = new(pm.SignedTicket) // whose check fails
		}
		if err := s.CheckFields(); err != nil {
			return nil, err
		}
		sigs[i], rands[i] = s.Sig, num.OrZero(s.RecipientRand)
		if rand := rands[i]; rand.Sign() < 0 || rand.BitLen() > 256 {
			return nil, &pm.FieldError{Field: "recipientRand", Negative: rand.Sign() < 0, Bits: rand.BitLen()}
		}
		tickets[i] = contract.ITicketBrokerTicket{
			Recipient:         s.Recipient,
			Sender:            s.Sender,
			FaceValue:         num.OrZero(s.FaceValue),
			WinProb:           num.OrZero(s.WinProb),
			SenderNonce:       new(big.Int).SetUint64(uint64(s.SenderNonce)),
			RecipientRandHash: s.RecipientRandHash,
			AuxData:           s.AuxData(),
		}
	}
	if len(signed) == 1 {
		return contract.NewTicketBroker().TryPackRedeemWinningTicket(tickets[0], sigs[0], rands[0])
	}
	return contract.NewTicketBroker().TryPackBatchRedeemWinningTickets(tickets, sigs, rands)
}

// Call is a call of the TicketBroker that pmctl makes: one that moves the sender's own funds,
// or one that redeems tickets. It is decoded from the bytes that are signed.
type Call struct {
	// Function is the contract's name for it, Arguments are all of its arguments.
	Function  string     `json:"method"`
	Arguments []Argument `json:"arguments"`
	// Deposit and Reserve are what it funds, in wei; nil if it funds nothing.
	Deposit, Reserve *big.Int `json:"-"`
	// Beneficiary is the account that it funds; nil is the sender's own.
	Beneficiary *common.Address `json:"-"`
	// Tickets is how many tickets it redeems.
	Tickets int `json:"-"`
}

// Argument is one argument of a call, as text.
type Argument struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// FundsItself reports whether the call funds its own sender.
func (c *Call) FundsItself(account common.Address) bool {
	return c.Deposit != nil && (c.Beneficiary == nil || *c.Beneficiary == account)
}

// ErrCall is wrapped by errors about calls that pmctl does not make.
var ErrCall = errors.New("not a call that pmctl makes")

// ParseCall decodes a transaction's value, in wei, and data as a call of the TicketBroker. It
// fails with ErrCall for any other function, for data that is not exactly the function's
// arguments, and for a value other than the function requires; a nil value counts as 0.
func ParseCall(value *big.Int, data []byte) (*Call, error) {
	value = num.OrZero(value)
	broker := contract.NewTicketBroker().GetABI()
	if len(data) < 4 {
		return nil, fmt.Errorf("%w: %d bytes of data are no call of the TicketBroker", ErrCall, len(data))
	}
	method, err := broker.MethodById(data[:4])
	if err != nil {
		return nil, fmt.Errorf("%w: the TicketBroker has no function with the selector 0x%x", ErrCall, data[:4])
	}
	values, err := method.Inputs.Unpack(data[4:])
	if err != nil {
		return nil, fmt.Errorf("%w: the data of %s cannot be decoded: %w", ErrCall, method.Name, err)
	}
	// Bytes that the decoder ignores would be signed unseen.
	if again, err := method.Inputs.Pack(values...); err != nil || !bytes.Equal(again, data[4:]) {
		return nil, fmt.Errorf("%w: the data of %s is longer than its arguments", ErrCall, method.Name)
	}
	call, takes := &Call{Function: method.Name, Arguments: []Argument{}}, new(big.Int)
	for i, input := range method.Inputs {
		text := fmt.Sprint(values[i])
		if raw, ok := values[i].([]byte); ok {
			text = "0x" + hex.EncodeToString(raw)
		}
		call.Arguments = append(call.Arguments, Argument{input.Name, input.Type.String(), text})
	}
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
		return nil, fmt.Errorf("%w: %s requires a value of %v wei, but the transaction has %v wei", ErrCall, method.Name, takes, value)
	}
	return call, nil
}
