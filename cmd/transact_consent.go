package cmd

import (
	"bytes"
	"context"
	"math/big"
	"slices"
	"time"

	"github.com/pmctl/pmctl/wallet/tx"
)

// lookAgainAfter is how long what was found counts where nobody was asked: a passphrase
// may take its time to come as well.
const lookAgainAfter = 5 * time.Second

// agreeAgain looks at the account again after the user took time to answer, and has what
// changed agreed to. It returns what is to be sent.
func (t *transacting) agreeAgain(command context.Context, agreed *tx.Prepared, to proposal) (*tx.Prepared, error) {
	for {
		now, is, err := t.prepareAgain(command)
		if err != nil {
			return nil, err
		}
		if is.same(to) && mayStillBeMined(agreed, now) {
			return agreed, nil
		}
		t.run.note("This has changed since it was shown:")
		t.show(now, is.say)
		if err := t.run.confirm(command, t.options.yes, is.ask); err != nil || t.options.yes {
			return now, err
		}
		agreed, to = now, is
	}
}

func (t *transacting) prepareAgain(command context.Context) (*tx.Prepared, proposal, error) {
	ctx, cancel, err := t.options.network.bound(command)
	if err != nil {
		return nil, proposal{}, err
	}
	defer cancel()
	if t.status, err = t.client.Status(ctx, t.account.address); err != nil {
		return nil, proposal{}, err
	}
	return t.prepare(ctx)
}

// same tells whether a user who agreed to one proposal has agreed to the other.
func (p proposal) same(q proposal) bool {
	return p.call.To == q.call.To && p.call.Value.Cmp(q.call.Value) == 0 && bytes.Equal(p.call.Data, q.call.Data) &&
		slices.Equal(p.say, q.say) && p.ask == q.ask
}

// mayStillBeMined tells whether a price that was agreed to does at the prices of now, of
// which half is what a block takes.
func mayStillBeMined(agreed, now *tx.Prepared) bool {
	return new(big.Int).Lsh(agreed.FeeCap, 1).Cmp(now.FeeCap) >= 0
}
