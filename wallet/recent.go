package wallet

import (
	"context"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/clock"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// maxAbout limits the counterparties in one question to the chain.
const maxAbout = 100

// maxRecent is how long an answer is reused. Together with a plan's longest wait for its nonces it
// is less than the time between two L1 blocks.
const maxRecent = 3 * time.Second

// recentFacts caches facts for maxRecent.
type recentFacts struct {
	chain pay.Chain
	now   func() time.Time
	facts pm.Facts
	at    time.Time
	// about are the counterparties asked about before; they are included in the next question.
	about []pm.Counterparty
}

// with adds counterparties to those asked about before.
func (f *recentFacts) with(about []pm.Counterparty) []pm.Counterparty {
	if len(f.about) >= maxAbout {
		f.about = nil
	}
	for _, counterparty := range about {
		if !slices.Contains(f.about, counterparty) {
			f.about = append(f.about, counterparty)
		}
	}
	return f.about
}

// Facts implements pay.Chain for one sender.
func (f *recentFacts) Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	now := f.now()
	if clock.Within(now, f.at, maxRecent) && f.facts.Knows(about...) {
		return f.facts, nil
	}
	facts, err := f.chain.Facts(ctx, sender, f.with(about)...)
	if err == nil {
		f.facts, f.at = facts, now
	}
	return facts, err
}

// renewPause is the least time between two reads of the chain, however many lines are refused.
const renewPause = 200 * time.Millisecond

// Renew implements pay.Remembering for one sender.
func (f *recentFacts) Renew(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, time.Duration, error) {
	now := f.now()
	if clock.Within(now, f.at, renewPause) && f.facts.Knows(about...) {
		return f.facts, now.Sub(f.at), nil
	}
	var facts pm.Facts
	var age time.Duration
	var err error
	if remembering, ok := f.chain.(pay.Remembering); ok {
		facts, age, err = remembering.Renew(ctx, sender, f.with(about)...)
	} else {
		facts, err = f.chain.Facts(ctx, sender, f.with(about)...)
	}
	if err == nil {
		f.facts, f.at = facts, now
	}
	return facts, age, err
}

// recentlyKnown caches the pinned addresses for maxRecent.
type recentlyKnown struct {
	pay.Known
	now  func() time.Time
	seen map[string]common.Address // of one sender
	at   time.Time
}

// Recipient implements pay.Known for one sender.
func (k *recentlyKnown) Recipient(ctx context.Context, sender common.Address, url string) (common.Address, error) {
	now := k.now()
	if k.seen == nil || !clock.Within(now, k.at, maxRecent) {
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
