package pm

import (
	"context"
	"errors"
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

// keepSubscribed subscribes now, and again each time the subscription breaks.
func keepSubscribed(subscribe func() event.Subscription) event.Subscription {
	next := subscribe()
	return event.Resubscribe(resubscribeBackoff, func(context.Context) (event.Subscription, error) {
		sub := next
		next = nil
		if sub == nil {
			sub = subscribe()
		}
		if sub == nil {
			return nil, errors.New("no subscription")
		}
		return sub, nil
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
		sm.cfg.OnRedemption(attempt)
	}
}
