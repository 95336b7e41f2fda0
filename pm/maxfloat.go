package pm

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/event"

	"github.com/pmctl/pmctl/internal/num"
)

// pendingCover is how many times the face value in flight a deposit must cover for it not to
// reduce max float.
const pendingCover = 3

// MaxFloat returns the highest face value of one ticket of the sender, in wei: the share of its
// reserve that the claimant can still claim in this round, less the face value of redemptions
// in flight unless the deposit covers three times that. It is never negative, and 0 while the
// pool of recipients is empty.
func (sm *LocalSenderMonitor) MaxFloat(addr common.Address) (*big.Int, error) {
	sm.remember(addr)
	info, err := sm.senderInfo(addr)
	if err != nil {
		return nil, err
	}
	share, err := sm.reserveShare(addr, info)
	if err != nil {
		return nil, err
	}
	pending := sm.pending(addr)
	if num.OrZero(info.Deposit).Cmp(new(big.Int).Mul(pending, big.NewInt(pendingCover))) >= 0 {
		return share, nil
	}
	return atLeastZero(share.Sub(share, pending)), nil
}

// availableFunds returns the funds for a redemption, in wei: the claimant's share of the
// reserve and the deposit, less the redemptions in flight.
func (sm *LocalSenderMonitor) availableFunds(addr common.Address) (*big.Int, error) {
	info, err := sm.senderInfo(addr)
	if err != nil {
		return nil, err
	}
	funds, err := sm.reserveShare(addr, info)
	if err != nil {
		return nil, err
	}
	funds.Add(funds, num.OrZero(info.Deposit))
	return funds.Sub(funds, sm.pending(addr)), nil
}

// reserveShare returns what the claimant can still claim from a reserve in this round, in wei.
func (sm *LocalSenderMonitor) reserveShare(addr common.Address, info *SenderInfo) (*big.Int, error) {
	poolSize := num.OrZero(sm.tm.GetTranscoderPoolSize())
	if poolSize.Sign() <= 0 || info.Reserve == nil {
		return new(big.Int), nil
	}
	claimed, err := sm.smgr.ClaimedReserve(addr, sm.cfg.Claimant)
	if err != nil {
		return nil, fmt.Errorf("claims on the reserve of sender %v: %w", addr, err)
	}
	return info.Reserve.ReserveShare(poolSize, claimed), nil
}

func (sm *LocalSenderMonitor) senderInfo(addr common.Address) (*SenderInfo, error) {
	info, err := sm.smgr.GetSenderInfo(addr)
	if err != nil {
		return nil, fmt.Errorf("deposit and reserve of sender %v: %w", addr, err)
	}
	if info == nil {
		return new(SenderInfo), nil
	}
	return info, nil
}

func (sm *LocalSenderMonitor) pending(addr common.Address) *big.Int {
	sm.mu.Lock()
	defer sm.mu.Unlock()
	if sender := sm.senders[addr]; sender != nil {
		return new(big.Int).Set(sender.pending)
	}
	return new(big.Int)
}

func atLeastZero(v *big.Int) *big.Int {
	if v.Sign() < 0 {
		return v.SetUint64(0)
	}
	return v
}

// SubscribeMaxFloatChange sends to sink whenever a sender's max float may have changed: its
// reserve, the pool's size or the redemptions in flight. Changes while sink is not ready are
// merged into one signal, so that a slow subscriber misses none and delays no other. The
// subscription ends when it is unsubscribed or the monitor stops.
func (sm *LocalSenderMonitor) SubscribeMaxFloatChange(sender common.Address, sink chan<- struct{}) event.Subscription {
	changed := make(chan struct{}, 1)
	sm.mu.Lock()
	if sm.watchers[sender] == nil {
		sm.watchers[sender] = make(map[chan struct{}]struct{})
	}
	sm.watchers[sender][changed] = struct{}{}
	sm.mu.Unlock()

	sub := event.NewSubscription(func(quit <-chan struct{}) error {
		defer sm.unwatch(sender, changed)
		for {
			select {
			case <-quit:
				return nil
			case <-sm.ctx.Done():
				return nil
			case <-changed:
			}
			select {
			case <-quit:
				return nil
			case <-sm.ctx.Done():
				return nil
			case sink <- struct{}{}:
			}
		}
	})
	if tracked := sm.subscriptions.Track(sub); tracked != nil {
		return tracked
	}
	sub.Unsubscribe() // the monitor has stopped
	return sub
}

func (sm *LocalSenderMonitor) unwatch(sender common.Address, changed chan struct{}) {
	sm.mu.Lock()
	defer sm.mu.Unlock()
	delete(sm.watchers[sender], changed)
	if len(sm.watchers[sender]) == 0 {
		delete(sm.watchers, sender)
	}
}

// notify signals a sender's subscribers that its max float may have changed.
func (sm *LocalSenderMonitor) notify(sender common.Address) {
	sm.mu.Lock()
	defer sm.mu.Unlock()
	for changed := range sm.watchers[sender] {
		signal(changed)
	}
}

// notifyAll is notify for every sender.
func (sm *LocalSenderMonitor) notifyAll() {
	sm.mu.Lock()
	defer sm.mu.Unlock()
	for _, watchers := range sm.watchers {
		for changed := range watchers {
			signal(changed)
		}
	}
}

// signal puts a signal into a channel with room for one. It never blocks.
func signal(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}
