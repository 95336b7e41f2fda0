package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ErrSettled is returned for an intent that is settled and cannot be replaced.
var ErrSettled = errors.New("the transaction is no longer pending")

// settledError returns an ErrSettled for a settled intent that has no receipt.
func settledError(intent *Intent) error {
	if intent.State == Lost {
		return hint.With(fmt.Errorf("%w: another transaction of the account used its nonce %d", ErrSettled, intent.Nonce),
			"run the command that sent it again: it signs the transaction with another nonce")
	}
	return hint.With(fmt.Errorf("%w: it was mined with nonce %d, which is unused now: its block was replaced, or the node is behind", ErrSettled, intent.Nonce),
		"wait for it, which sends it again: pmctl tx wait %s", intent.Hash())
}

// PrepareReplacement prices a replacement of an intent's newest transaction, high enough for
// nodes to accept it: the same transaction for KindBump, even if that is a cancellation, and an
// empty one for KindCancel. It fails with ErrSettled if one of the intent's transactions is
// mined already, its nonce is used, or the journal has it as settled, and as Prepare does.
func (m Manager) PrepareReplacement(ctx context.Context, intent *Intent, kind Kind, caps Caps) (*Prepared, error) {
	call := Call{To: intent.Account}
	quoted := call.message(intent.Account)
	bump := kind == KindBump && intent.Attempts[len(intent.Attempts)-1].Kind != KindCancel
	if bump {
		var err error
		if call, err = intent.again(); err != nil {
			return nil, err
		}
		quoted = ethereum.CallMsg{From: intent.Account} // its gas is known
	}
	quote, err := m.Node.Quote(ctx, quoted)
	if err != nil {
		return nil, err
	}
	if err := m.Node.UpToDate(quote.Head); err != nil {
		return nil, err
	}
	if !bump {
		if quote.GasErr != nil {
			return nil, quote.GasErr
		}
		call.Gas = quote.Gas
	}
	receipt, err := m.mined(ctx, intent)
	if err != nil {
		return nil, err
	}
	if receipt != nil {
		return nil, fmt.Errorf("%w: %s was mined in block %v", ErrSettled, receipt.TxHash, receipt.BlockNumber)
	}
	if !intent.State.Unsettled() {
		return nil, settledError(intent)
	}
	used, err := m.Node.NonceAt(ctx, intent.Account)
	if err != nil {
		return nil, err
	}
	if used > intent.Nonce {
		return nil, hint.With(fmt.Errorf("%w: its nonce %d is used", ErrSettled, intent.Nonce), "see by which transaction: pmctl tx wait %s", intent.Hash())
	}
	asked, err := ask(quote)
	if err != nil {
		return nil, err
	}
	for _, a := range intent.Attempts {
		if a.Tx.Nonce() != intent.Nonce {
			continue // it can no longer be mined
		}
		asked.cap = num.Max(asked.cap, raised(a.Tx.GasFeeCap()))
		asked.tip = num.Max(asked.tip, raised(a.Tx.GasTipCap()))
		asked.least = num.Max(asked.least, raised(a.Tx.GasFeeCap()))
	}
	asked.cap = num.Max(asked.cap, asked.tip)
	if asked, err = caps.under(asked, call.Gas); err != nil {
		return nil, err
	}
	p := &Prepared{Call: call, From: intent.Account, GasLimit: call.Gas}
	if err := p.set(asked); err != nil {
		return nil, err
	}
	return p, p.payable(quote.Balance)
}

func (i *Intent) again() (Call, error) {
	newest := i.call()
	value, err := wei.FromBig(newest.Value())
	if err != nil {
		return Call{}, err
	}
	if newest.To() == nil {
		return Call{}, fmt.Errorf("transaction %s creates a contract", newest.Hash())
	}
	return Call{To: *newest.To(), Value: value, Data: newest.Data(), Gas: newest.Gas()}, nil
}

// MaxFee returns the most that a transaction's gas can cost, in wei.
func MaxFee(sent *types.Transaction) *big.Int {
	return new(big.Int).Mul(sent.GasFeeCap(), new(big.Int).SetUint64(sent.Gas()))
}

// raised is the lowest price that nodes accept for a replacement: 10 % more, and a little more
// for rounding.
func raised(price *big.Int) *big.Int {
	more := new(big.Int).Mul(price, big.NewInt(112))
	more.Quo(more, big.NewInt(100))
	return more.Add(more, big.NewInt(1))
}
