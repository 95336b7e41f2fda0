package cmd

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// maxRecent is how old something is that is not asked for again: with what a plan may wait
// for its nonces, less than the time between two L1 blocks.
const maxRecent = 3 * time.Second

// recentFacts asks the chain no more often than facts grow old.
type recentFacts struct {
	chain pay.Chain
	now   func() time.Time
	facts pm.Facts
	at    time.Time
}

// Facts implements pay.Chain for one sender.
func (f *recentFacts) Facts(ctx context.Context, sender common.Address) (pm.Facts, error) {
	now := f.now()
	if age := now.Sub(f.at); !f.at.IsZero() && age >= 0 && age <= maxRecent {
		return f.facts, nil
	}
	facts, err := f.chain.Facts(ctx, sender)
	if err == nil {
		f.facts, f.at = facts, now
	}
	return facts, err
}

// renewPause is the least time between two looks at the chain, however many lines are
// refused.
const renewPause = 200 * time.Millisecond

// Renew implements pay.Remembering for one sender.
func (f *recentFacts) Renew(ctx context.Context, sender common.Address) (pm.Facts, time.Duration, error) {
	now := f.now()
	if age := now.Sub(f.at); !f.at.IsZero() && age >= 0 && age <= renewPause {
		return f.facts, age, nil
	}
	var facts pm.Facts
	var age time.Duration
	var err error
	if remembering, ok := f.chain.(pay.Remembering); ok {
		facts, age, err = remembering.Renew(ctx, sender)
	} else {
		facts, err = f.chain.Facts(ctx, sender)
	}
	if err == nil {
		f.facts, f.at = facts, now
	}
	return facts, age, err
}

// recentlyKnown asks no more often than that whom a URL pays.
type recentlyKnown struct {
	pay.Known
	now  func() time.Time
	seen map[string]common.Address // of one sender
	at   time.Time
}

// Recipient implements pay.Known for one sender.
func (k *recentlyKnown) Recipient(ctx context.Context, sender common.Address, url string) (common.Address, error) {
	now := k.now()
	if age := now.Sub(k.at); k.seen == nil || age < 0 || age > maxRecent {
		k.seen, k.at = make(map[string]common.Address), now
	}
	if recipient, ok := k.seen[url]; ok {
		return recipient, nil
	}
	recipient, err := k.Known.Recipient(ctx, sender, url)
	if err == nil {
		k.seen[url] = recipient
	}
	return recipient, err
}

// PinRecipients implements pay.Known.
func (k *recentlyKnown) PinRecipients(ctx context.Context, sender common.Address, pins []store.Pin, accept []common.Address) ([]common.Address, error) {
	k.seen = nil
	return k.Known.PinRecipients(ctx, sender, pins, accept)
}
