package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ErrSettled is returned for an intent of which nothing can be replaced any more.
var ErrSettled = errors.New("the transaction is not waiting any more")

// PrepareBump prices an intent's call anew, high enough for nodes to take it in the
// place of what waits. It fails with ErrSettled when one of its transactions is mined
// already, and as Prepare does.
func PrepareBump(ctx context.Context, node Backend, intent *Intent, caps Caps) (*Prepared, error) {
	first := intent.call()
	if newest := intent.Attempts[len(intent.Attempts)-1]; newest.Kind == KindCancel {
		first = newest.Tx // a cancellation is bumped as what it is
	}
	value, err := wei.FromBig(first.Value())
	if err != nil {
		return nil, err
	}
	call := Call{Value: value, Data: first.Data(), Gas: first.Gas()}
	if first.To() == nil {
		return nil, fmt.Errorf("transaction %s creates a contract", first.Hash())
	}
	call.To = *first.To()
	quote, err := node.Quote(ctx, ethereum.CallMsg{From: intent.Account}) // its gas is known
	if err != nil {
		return nil, err
	}
	return replacement(ctx, node, intent, call, quote, caps)
}

// PrepareCancel prices a transaction that does nothing, in the place of the intent's
// call. It fails as PrepareBump does.
func PrepareCancel(ctx context.Context, node Backend, intent *Intent, caps Caps) (*Prepared, error) {
	nothing := Call{To: intent.Account}
	quote, err := node.Quote(ctx, nothing.Message(intent.Account))
	if err != nil {
		return nil, err
	}
	if err := node.UpToDate(quote.Head); err != nil {
		return nil, err
	}
	if quote.GasErr != nil {
		return nil, quote.GasErr
	}
	nothing.Gas = quote.Gas
	return replacement(ctx, node, intent, nothing, quote, caps)
}

func replacement(ctx context.Context, node Backend, intent *Intent, call Call, quote *chain.Quote, caps Caps) (*Prepared, error) {
	if err := node.UpToDate(quote.Head); err != nil {
		return nil, err
	}
	receipt, err := mined(ctx, node, intent)
	if err != nil {
		return nil, err
	}
	if receipt != nil {
		return nil, fmt.Errorf("%w: %s was mined in block %v", ErrSettled, receipt.TxHash, receipt.BlockNumber)
	}
	asked, err := ask(quote)
	if err != nil {
		return nil, err
	}
	for _, a := range intent.Attempts {
		if a.Tx.Nonce() != intent.Nonce {
			continue // it cannot be mined any more
		}
		asked.cap = larger(asked.cap, raised(a.Tx.GasFeeCap()))
		asked.tip = larger(asked.tip, raised(a.Tx.GasTipCap()))
		asked.least = larger(asked.least, raised(a.Tx.GasFeeCap()))
	}
	asked.cap = larger(asked.cap, asked.tip)
	if asked, err = caps.under(asked, call.Gas); err != nil {
		return nil, err
	}
	p := &Prepared{Call: call, From: intent.Account, GasLimit: call.Gas}
	if err := p.set(asked); err != nil {
		return nil, err
	}
	balance, err := wei.FromBig(quote.Balance)
	if err != nil {
		return nil, err
	}
	if err := p.payable(balance); err != nil {
		return nil, err
	}
	return p, nil
}

// MaxFee returns the most that the gas of a transaction can cost, in wei.
func MaxFee(sent *types.Transaction) *big.Int {
	return new(big.Int).Mul(sent.GasFeeCap(), new(big.Int).SetUint64(sent.Gas()))
}

// raised is the lowest price that nodes take in the place of another: 10 % more, and a
// little so that rounding does not matter.
func raised(price *big.Int) *big.Int {
	more := new(big.Int).Mul(price, big.NewInt(112))
	more.Quo(more, big.NewInt(100))
	return more.Add(more, big.NewInt(1))
}

// Replace signs a replacement, keeps it in the journal and hands it to the node. It
// fails as Submit does, and with *ChangedError when the intent is settled.
func Replace(ctx context.Context, node Backend, journal Journal, signer Signer, intent *Intent, p *Prepared, kind Kind) error {
	if signer.Address() != intent.Account {
		return fmt.Errorf("the transaction is %s's and cannot be replaced by %s", intent.Account, signer.Address())
	}
	err := unlike(p, func(p *Prepared) error {
		signed, err := signer.SignTx(p.transaction(node.ChainID(), intent.Nonce), node.ChainID())
		if err != nil {
			return fmt.Errorf("sign the transaction: %w", err)
		}
		return journal.Add(ctx, intent, Attempt{Tx: signed, Kind: kind, At: time.Now()})
	})
	if err != nil {
		return err
	}
	return broadcast(ctx, node, journal, intent)
}

func larger(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}
