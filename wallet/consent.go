package wallet

import (
	"context"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/wallet/internal/tx"
)

// lookAgainAfter is how long the planned state counts as current when no question was asked:
// reading a passphrase can take time, too, and the machine may sleep meanwhile.
const lookAgainAfter = 5 * time.Second

// agreeAgain plans again after the user took time to answer, and asks again if something changed.
// It returns the transaction to send.
func (t *sendFlow) agreeAgain(caller context.Context, agreed *tx.Prepared, to proposal) (*tx.Prepared, error) {
	for {
		now, is, err := t.prepareAgain(caller)
		if err != nil {
			return nil, err
		}
		if is.same(to) && mayStillBeMined(agreed, now) {
			return agreed, nil
		}
		t.note("Changed since it was shown:")
		t.show(now, is.say)
		if err := t.confirm(caller, is.ask); err != nil || t.o.Agreed {
			return now, err
		}
		agreed, to = now, is
	}
}

func (t *sendFlow) prepareAgain(caller context.Context) (*tx.Prepared, proposal, error) {
	ctx, cancel := t.bound(caller)
	defer cancel()
	if err := t.lookAgain(ctx); err != nil {
		return nil, proposal{}, err
	}
	return t.prepare(ctx, t.situation, t.action)
}

// mayStillBeMined reports whether the agreed price suffices at today's prices. A block takes half
// of the cap.
func mayStillBeMined(agreed, now *tx.Prepared) bool {
	return new(big.Int).Lsh(agreed.FeeCap, 1).Cmp(now.FeeCap) >= 0
}
