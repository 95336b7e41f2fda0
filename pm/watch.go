package pm

import (
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/event"

	"github.com/pmctl/pmctl/internal/num"
)

// chainEvents are the monitor's subscriptions to the chain.
type chainEvents struct {
	blocks        chan *big.Int
	rounds        chan types.Log
	reserves      chan common.Address
	subscriptions []event.Subscription
}

func (sm *LocalSenderMonitor) subscribe() chainEvents {
	e := chainEvents{blocks: make(chan *big.Int), rounds: make(chan types.Log), reserves: make(chan common.Address)}
	e.subscriptions = []event.Subscription{
		keepSubscribed(func() event.Subscription { return sm.tm.SubscribeL1Blocks(e.blocks) }),
		keepSubscribed(func() event.Subscription { return sm.tm.SubscribeRounds(e.rounds) }),
		keepSubscribed(func() event.Subscription { return sm.smgr.SubscribeReserveChange(e.reserves) }),
	}
	return e
}

// resubscribeBackoff is the longest wait before a broken subscription is renewed.
const resubscribeBackoff = 10 * time.Second

// keepSubscribed subscribes now, and again each time the subscription breaks, until its source
// ends or it is unsubscribed. go-ethereum's event.Resubscribe forgets a subscription that was made
// while it was being unsubscribed: it is never read again, and holds up what is sent to all others.
func keepSubscribed(subscribe func() event.Subscription) event.Subscription {
	sub := subscribe()
	return event.NewSubscription(func(quit <-chan struct{}) error {
		const shortest = resubscribeBackoff / 10
		wait := shortest
		for {
			subscribed := time.Now()
			if sub != nil {
				select {
				case err := <-sub.Err():
					if err == nil {
						return nil
					}
				case <-quit:
					sub.Unsubscribe()
					return nil
				}
			}
			if time.Since(subscribed) > resubscribeBackoff {
				wait = shortest
			}
			select {
			case <-time.After(wait):
			case <-quit:
				return nil
			}
			wait = min(2*wait, resubscribeBackoff)
			sub = subscribe()
		}
	})
}

// watch follows the chain until the monitor stops.
func (sm *LocalSenderMonitor) watch(events chainEvents) {
	for _, sub := range events.subscriptions {
		defer sub.Unsubscribe()
	}
	var cleanup <-chan time.Time
	if sm.cfg.CleanupInterval > 0 {
		ticker := time.NewTicker(sm.cfg.CleanupInterval)
		defer ticker.Stop()
		cleanup = ticker.C
	}
	recovered := sm.recover()
	for {
		select {
		case <-sm.ctx.Done():
			return
		case block := <-events.blocks:
			sm.newestBlock.Store(block)
			if !recovered {
				recovered = sm.recover()
			}
			sm.pokeQueues()
		case <-events.rounds: // the pool's size and the reserves' claims have changed
			sm.notifyAll()
		case addr := <-events.reserves:
			sm.notify(addr)
		case now := <-cleanup:
			sm.cleanup(now)
		}
	}
}

// lastBlock returns the newest L1 block: an event may be ahead of the TimeManager.
func (sm *LocalSenderMonitor) lastBlock() *big.Int {
	last := num.OrZero(sm.tm.LastSeenL1Block())
	if newest := sm.newestBlock.Load(); newest != nil && newest.Cmp(last) > 0 {
		return newest
	}
	return last
}

// recover opens the queues of senders whose tickets are in the store from before. It returns
// false if it must be repeated.
func (sm *LocalSenderMonitor) recover() bool {
	store, ok := sm.store.(QueueStore)
	if !ok {
		return true
	}
	senders, err := store.WinningTicketSenders(minCreationRound(sm.tm))
	if err != nil {
		sm.report(RedemptionAttempt{Err: fmt.Errorf("list the senders of winning tickets: %w", err)})
		return false
	}
	for _, addr := range senders {
		sm.openQueue(addr)
	}
	return true
}

func (sm *LocalSenderMonitor) report(attempt RedemptionAttempt) {
	if sm.cfg.OnRedemption != nil {
		attempt.Ticket = attempt.Ticket.clone() // the queue's own is still to be marked
		sm.cfg.OnRedemption(attempt)
	}
}
