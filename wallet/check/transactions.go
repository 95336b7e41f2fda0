package check

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// transactions looks for those that were sent and are not mined. What the chain has by now
// counts, whatever the journal says.
func (b *books) transactions(ctx context.Context) Finding {
	var open []*tx.Intent
	if b.store != nil {
		journal := b.store.Journal(b.Network.ID())
		defer journal.Close()
		intents, err := journal.Unsettled(ctx, b.Address)
		if err != nil {
			return Unread(err)
		}
		open = slices.DeleteFunc(intents, func(i *tx.Intent) bool { return i.State != tx.Open })
	}
	if len(open) > 0 {
		mined, err := b.client.NonceAt(ctx, b.Address)
		if err != nil {
			return Unread(err)
		}
		for _, intent := range open { // the oldest holds up all others
			if intent.Nonce >= mined {
				return b.waiting(ctx, intent, mined)
			}
		}
	}
	return Fine("none are open")
}

// waiting says why the oldest open transaction is not mined. To pay more helps where the
// price is the cause, and nowhere else.
func (b *books) waiting(ctx context.Context, intent *tx.Intent, used uint64) Finding {
	newest := intent.Newest()
	hash := newest.Hash()
	because := func(why error, knob, fix string) Finding {
		err := error(&tx.NotMinedError{Hash: hash, Err: fmt.Errorf("it was signed at %s; %w", intent.CreatedAt.Format(time.RFC3339), why)})
		if fix != "" {
			err = hint.With(err, fix, hash)
		}
		return Fail(err, "none that waits", knob)
	}
	if intent.Nonce > used {
		return because(&tx.GapError{Nonce: used}, Yours+"the transaction that is missing", "")
	}
	known, err := b.client.KnowsTransaction(ctx, hash)
	if err != nil {
		return Unread(err)
	}
	if !known {
		return because(errors.New("the node does not have it"), Networks+"the pool of the node", "pmctl tx wait %s sends it again")
	}
	head, err := b.client.Head(ctx)
	if err != nil {
		return Unread(err)
	}
	if base := (*big.Int)(head.BaseFee); base != nil && newest.GasFeeCap().Cmp(base) < 0 {
		return because(fmt.Errorf("it pays at most %s for a unit of gas, and the base fee is %s", wei.Text(newest.GasFeeCap()), wei.Text(base)),
			Networks+"the gas price; yours: --max-gas-price", "pay more for it: pmctl tx bump %s")
	}
	return because(errors.New("the node has it, and its price suffices"), Networks+"how soon it is mined", "wait for it: pmctl tx wait %s")
}
