package pm

import (
	"context"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// remember records that a sender is used. A new sender may have tickets in the store from
// before: then its queue is opened.
func (sm *LocalSenderMonitor) remember(addr common.Address) {
	sm.mu.Lock()
	_, known := sm.senders[addr]
	sm.access(addr)
	sm.mu.Unlock()
	if known {
		return
	}
	if n, err := sm.store.WinningTicketCount(addr, minCreationRound(sm.tm)); err == nil && n > 0 {
		sm.openQueue(addr)
	}
}

// access returns a sender, and records its use. sm.mu is held.
func (sm *LocalSenderMonitor) access(addr common.Address) *remoteSender {
	sender := sm.senders[addr]
	if sender == nil {
		sender = &remoteSender{pending: new(big.Int)}
		sm.senders[addr] = sender
	}
	sender.lastAccess = time.Now()
	return sender
}

// openQueue makes a queue of a sender's tickets, with a pass now and at each L1 block.
func (sm *LocalSenderMonitor) openQueue(addr common.Address) {
	sm.mu.Lock()
	defer sm.mu.Unlock()
	sender := sm.access(addr)
	if sender.queue == nil {
		sender.queue = &ticketQueue{
			sender:     addr,
			store:      sm.store,
			tm:         sm.tm,
			redeemable: make(chan *redemption),
			lastBlock:  sm.lastBlock,
			report:     sm.report,
			wake:       make(chan struct{}, 1),
		}
	}
	sm.runQueue(sender)
	sender.queue.poke()
}

// runQueue starts the goroutines of a sender's queue, if it has one and they do not run yet:
// one emits tickets, the other redeems them. sm.mu is held.
func (sm *LocalSenderMonitor) runQueue(sender *remoteSender) {
	if !sm.started || sm.stopped || sender.queue == nil || sender.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(sm.ctx)
	sender.stop = cancel
	queue := sender.queue
	sm.wg.Go(func() { queue.run(ctx) })
	sm.wg.Go(func() { sm.redeemFrom(ctx, queue) })
}

// pokeQueues requests a pass of every queue.
func (sm *LocalSenderMonitor) pokeQueues() {
	sm.mu.Lock()
	defer sm.mu.Unlock()
	for _, sender := range sm.senders {
		if sender.queue != nil {
			sender.queue.poke()
		}
	}
}

// cleanup forgets the senders that were not used within the TTL and have nothing to redeem.
func (sm *LocalSenderMonitor) cleanup(now time.Time) {
	ttl := time.Duration(sm.cfg.TTL) * time.Second
	idle := func(sender *remoteSender) bool {
		return sender != nil && now.Sub(sender.lastAccess) >= ttl && sender.pending.Sign() == 0
	}
	sm.mu.Lock()
	var candidates []common.Address
	for addr, sender := range sm.senders {
		if idle(sender) {
			candidates = append(candidates, addr)
		}
	}
	sm.mu.Unlock()

	minRound := minCreationRound(sm.tm)
	for _, addr := range candidates {
		if n, err := sm.store.WinningTicketCount(addr, minRound); err != nil || n > 0 {
			continue
		}
		if sm.forget(addr, idle) {
			sm.smgr.Clear(addr)
		}
	}
}

// forget drops a sender that is still idle.
func (sm *LocalSenderMonitor) forget(addr common.Address, idle func(*remoteSender) bool) bool {
	sm.mu.Lock()
	defer sm.mu.Unlock()
	sender := sm.senders[addr]
	if !idle(sender) || sender.queue != nil && sender.queue.busy.Load() {
		return false
	}
	if sender.stop != nil {
		sender.stop()
	}
	delete(sm.senders, addr)
	return true
}
