package policy

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ErrTransaction is wrapped by refusals of a transaction that pmctl would not prepare itself.
var ErrTransaction = errors.New("not a transaction that pmctl signs or sends")

// CheckTransaction checks whether a transaction prepared elsewhere may be signed: it must be a call
// that pmctl makes, on the network's chain and to its TicketBroker, with a gas price and a fee within
// the limits. It returns the decoded call. It returns a *Refusal of kind ErrLimit, which wraps
// ErrTransaction where it is another call.
func (l Limits) CheckTransaction(t *types.Transaction, chainID uint64, ticketBroker common.Address) (*broker.Call, error) {
	err := CheckShape(t, chainID)
	if err == nil && *t.To() != ticketBroker {
		err = fmt.Errorf("it is to %v, but the network's TicketBroker is %v", *t.To(), ticketBroker)
	}
	if err != nil {
		return nil, &Refusal{ErrLimit, ErrTransaction, fmt.Sprintf("%v: %v", ErrTransaction, err), whatIsSigned}
	}
	call, err := broker.ParseCall(t.Value(), t.Data())
	if err != nil {
		return nil, &Refusal{ErrLimit, errors.Join(ErrTransaction, err), err.Error(), whatIsSigned}
	}
	return call, l.CheckFee(t)
}

const whatIsSigned = "pmctl signs and sends only what pmctl fund, unlock, unlock cancel, withdraw and ticket redeem prepare with --unsigned"

// CheckShape refuses a transaction that is not a plain call on the chain: another type or chain, an
// access list, or a contract creation; and nil.
func CheckShape(t *types.Transaction, chainID uint64) error {
	switch {
	case t == nil:
		return errors.New("there is none")
	case t.Type() != types.LegacyTxType && t.Type() != types.DynamicFeeTxType:
		return fmt.Errorf("it has type %d", t.Type())
	case t.Type() == types.DynamicFeeTxType && t.ChainId().Cmp(new(big.Int).SetUint64(chainID)) != 0:
		return fmt.Errorf("it is for chain ID %v, but the network's is %d", t.ChainId(), chainID)
	case len(t.AccessList()) > 0:
		return errors.New("it has an access list")
	case t.To() == nil:
		return errors.New("it creates a contract")
	}
	return nil
}

// CheckFee returns a *Refusal, which wraps ErrLimit, for a transaction whose gas
// may cost more than the limits allow.
func (l Limits) CheckFee(t *types.Transaction) error {
	fee := new(big.Int).Mul(t.GasFeeCap(), new(big.Int).SetUint64(t.Gas()))
	for _, cap := range []struct {
		setting Setting
		what    string
		asked   *big.Int
		most    *wei.Wei
	}{
		{MaxGasPrice, "transaction offers for a unit of gas", t.GasFeeCap(), l.MaxGasPrice},
		{MaxFee, "fee for the transaction's gas may be", fee, l.MaxFee},
	} {
		if cap.most == nil || cap.asked.Cmp(cap.most.Big()) <= 0 {
			continue
		}
		err := hint.Kind(ErrLimit, fmt.Errorf("the %s %s, above the limit of %s", cap.what, amount(cap.asked), *cap.most))
		return &Refusal{ErrLimit, err, fmt.Sprintf("%v (%s)", err, l.Where(cap.setting)),
			"wait for a lower gas price, or " + l.allow(cap.setting)}
	}
	return nil
}
