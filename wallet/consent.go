package wallet

import (
	"context"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/wallet/internal/tx"
)

// lookAgainAfter is how long what was found counts where no one was asked: a passphrase
// may take its time to come as well.
const lookAgainAfter = 5 * time.Second

// agreeAgain looks at the account again after the user took time to answer, and has what
// changed agreed to. It returns what is to be sent.
func (t *sendFlow) agreeAgain(caller context.Context, agreed *tx.Prepared, to proposal) (*tx.Prepared, error) {
	for {
		now, is, err := t.prepareAgain(caller)
		if err != nil {
			return nil, err
		}
		if is.same(to) && mayStillBeMined(agreed, now) {
			return agreed, nil
		}
		t.note("This has changed since it was shown:")
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
	var err error
	if t.situation, err = t.lookFor(ctx, t.account, t.action); err != nil {
		return nil, proposal{}, err
	}
	return t.prepare(ctx, t.situation, t.action)
}

// mayStillBeMined tells whether a price that was agreed to does at the prices of now, of
// which half is what a block takes.
func mayStillBeMined(agreed, now *tx.Prepared) bool {
	return new(big.Int).Lsh(agreed.FeeCap, 1).Cmp(now.FeeCap) >= 0
}
