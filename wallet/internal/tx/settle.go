package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/contract"
)

// settle records the outcome that a receipt shows, and returns it as an error unless the call
// succeeded.
func (m Manager) settle(ctx context.Context, intent *Intent, receipt *types.Receipt) error {
	outcome := outcomeOf(intent, receipt)
	err := m.Journal.Record(ctx, intent, outcome)
	// The outcome is true even if an older copy replaced the journal. The caller learns of the
	// copy when it ends the intent.
	if err != nil && !errors.Is(err, ErrReplaced) {
		return Unrecorded(receipt, err)
	}
	switch outcome.State {
	case Cancelled:
		return &CancelledError{Hash: receipt.TxHash, Nonce: intent.attempt(receipt.TxHash).Tx.Nonce()}
	case Reverted:
		return Failed(receipt.TxHash, m.replay(ctx, intent.Account, intent.attempt(receipt.TxHash).Tx, receipt))
	}
	return nil
}

// outcomeOf is an intent's outcome by the receipt of one of its transactions.
func outcomeOf(intent *Intent, receipt *types.Receipt) Outcome {
	o := Outcome{State: Mined, By: receipt.TxHash}
	switch {
	case intent.attempt(receipt.TxHash).Kind == KindCancel:
		o.State = Cancelled
	case receipt.Status != types.ReceiptStatusSuccessful:
		o.State = Reverted
	}
	return o
}

// Done reports whether an intent's call has succeeded in a block up to the given one, and records
// it if so.
func (m Manager) Done(ctx context.Context, intent *Intent, block uint64) (bool, error) {
	receipt, err := m.mined(ctx, intent)
	if err != nil || receipt == nil || receipt.BlockNumber.Uint64() > block {
		return false, err
	}
	outcome := outcomeOf(intent, receipt)
	if outcome.State != Mined {
		return false, nil
	}
	if err := m.Journal.Record(ctx, intent, outcome); err != nil && !errors.Is(err, ErrChanged) {
		return false, err
	}
	return true, nil
}

// CatchUp records what the chain already shows of an account's unsettled intents: those that
// were mined, and refused ones that the node has after all.
func (m Manager) CatchUp(ctx context.Context, account common.Address) error {
	unsettled, err := m.Journal.Unsettled(ctx, account)
	if err != nil {
		return err
	}
	for _, intent := range unsettled {
		receipt, err := m.mined(ctx, intent)
		if err != nil {
			return err
		}
		outcome := Outcome{State: Open}
		switch {
		case receipt != nil:
			outcome = outcomeOf(intent, receipt)
		case intent.State == Open:
			continue
		default:
			known, err := m.knows(ctx, intent)
			if err != nil {
				return err
			}
			if !known {
				continue
			}
		}
		if err := m.Journal.Record(ctx, intent, outcome); err != nil && !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return nil
}

// replay determines why a mined transaction failed: it makes the same call on the state before
// its block. It returns a *contract.RevertError, or that it ran out of gas if the call succeeds
// there and has used up its gas, or nil if the reason cannot be determined.
func (m Manager) replay(ctx context.Context, from common.Address, sent *types.Transaction, receipt *types.Receipt) error {
	if receipt.BlockNumber == nil || receipt.BlockNumber.Sign() == 0 {
		return nil
	}
	before := new(big.Int).Sub(receipt.BlockNumber, big.NewInt(1))
	_, err := m.Node.CallContract(ctx, ethereum.CallMsg{From: from, To: sent.To(), Value: sent.Value(), Data: sent.Data()}, before)
	var revert *contract.RevertError
	switch {
	case errors.As(err, &revert) && revert.Reason != "":
		return revert
	case receipt.GasUsed >= sent.Gas()-sent.Gas()/callKeeps:
		return hint.With(fmt.Errorf("out of gas: it used %d of its gas limit of %d", receipt.GasUsed, sent.Gas()),
			"only its gas was spent: run the command again, which estimates the gas again")
	case revert != nil:
		return revert
	}
	return nil
}

// callKeeps is the part of its gas that a call cannot pass on to another (EIP-150): that part
// may be left when the other runs out.
const callKeeps = 64
