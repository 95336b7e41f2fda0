package chain

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/event"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
)

// known is a sender's data.
type known struct {
	funds *broker.Funds // nil if they are not kept
	// ahead is set if it was read at another block than the watcher's newest. If that block is
	// replaced before the watcher sees it, no event will show it.
	ahead bool
}

// GetSenderInfo implements pm.SenderManager. The answer is cached until an event, a reorg or a
// new round changes it; it is the caller's own.
func (w *Watcher) GetSenderInfo(sender common.Address) (*pm.SenderInfo, error) {
	w.mu.Lock()
	kept := w.senders[sender]
	before := w.now.head.Hash
	w.senders[sender] = kept // callers are notified when it is lost
	w.mu.Unlock()
	if kept.funds != nil {
		return kept.funds.Info(), nil
	}
	var head Head
	fresh := new(broker.Funds)
	b := new(batch)
	b.Head(&head)
	b.funds(w.contracts, sender, fresh)
	if err := w.ask(b); err != nil {
		return nil, fmt.Errorf("read the deposit and reserve of %s: %w", sender, err)
	}
	w.mu.Lock()
	// A new block may have changed it since.
	if w.now.head.Hash == before {
		w.senders[sender] = known{funds: fresh, ahead: head.Hash != before}
	}
	w.mu.Unlock()
	return fresh.Info(), nil
}

// ClaimedReserve implements pm.SenderManager.
func (w *Watcher) ClaimedReserve(reserveHolder, claimant common.Address) (*big.Int, error) {
	var claimed *big.Int
	views := contract.NewTicketBroker()
	b := new(batch)
	call(b, w.contracts.TicketBroker, views.PackClaimedReserve(reserveHolder, claimant), views.UnpackClaimedReserve, &claimed)
	if err := w.ask(b); err != nil {
		return nil, fmt.Errorf("read what %s claimed of %s's reserve: %w", claimant, reserveHolder, err)
	}
	return claimed, nil
}

// Clear implements pm.SenderManager.
func (w *Watcher) Clear(sender common.Address) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.senders, sender)
}

// SubscribeReserveChange implements pm.SenderManager.
func (w *Watcher) SubscribeReserveChange(sink chan<- common.Address) event.Subscription {
	return w.changes.subscribe(sink)
}

// IsActive reports whether a recipient is in the current pool. The contract does not have
// earlier rounds.
func (w *Watcher) IsActive(recipient common.Address, _ *big.Int) (bool, error) {
	var active bool
	bonding := contract.NewBondingManager()
	b := new(batch)
	call(b, w.contracts.BondingManager, bonding.PackIsActiveTranscoder(recipient), bonding.UnpackIsActiveTranscoder, &active)
	if err := w.ask(b); err != nil {
		return false, fmt.Errorf("read whether %s is active: %w", recipient, err)
	}
	return active, nil
}
