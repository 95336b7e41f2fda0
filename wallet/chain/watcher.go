package chain

import (
	"context"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/event"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/contract"
)

// Watcher follows a chain for a recipient: it is package pm's TimeManager and its
// SenderManager. It asks the node for what is new at an interval, more seldom while
// the node does not answer.
type Watcher struct {
	client    *Client
	contracts Contracts
	interval  time.Duration
	ctx       context.Context
	stop      context.CancelFunc
	done      chan struct{}

	mu      sync.Mutex
	now     moment
	senders map[common.Address]*pm.SenderInfo

	l1Blocks feed[*big.Int]
	rounds   feed[types.Log]
	changes  feed[common.Address]
}

var (
	_ pm.TimeManager   = (*Watcher)(nil)
	_ pm.SenderManager = (*Watcher)(nil)
)

// moment is what the watcher last saw.
type moment struct {
	head     Head
	round    *big.Int
	hashes   [2][32]byte
	poolSize *big.Int
}

const (
	// overlap is how many blocks are looked at again, in case others replaced them.
	overlap = 12
	// maxBackoff bounds the wait between attempts to reach a node.
	maxBackoff = time.Minute
	// logSpan is how many blocks are asked for in one request; nodes refuse more than
	// some thousands.
	logSpan = 2000
	// askTimeout bounds one look at the chain.
	askTimeout = 30 * time.Second
)

// Watch looks at the chain once and then every interval, until Close or until ctx
// ends.
func Watch(ctx context.Context, client *Client, interval time.Duration) (*Watcher, error) {
	contracts, err := client.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	w := &Watcher{
		client:    client,
		contracts: contracts,
		interval:  interval,
		done:      make(chan struct{}),
		senders:   make(map[common.Address]*pm.SenderInfo),
	}
	w.l1Blocks.latest = true
	w.ctx, w.stop = context.WithCancel(ctx)
	if w.now, err = w.look(moment{}); err != nil {
		w.stop()
		return nil, err
	}
	go w.follow()
	return w, nil
}

// Close ends the watching and returns when nothing of it runs any more.
func (w *Watcher) Close() {
	w.stop()
	<-w.done
}

func (w *Watcher) follow() {
	defer close(w.done)
	wait := w.interval
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-timer.C:
		}
		if err := w.poll(); err != nil {
			wait = min(2*wait, maxBackoff)
		} else {
			wait = w.interval
		}
		timer.Reset(wait)
	}
}

// poll looks at the chain and tells subscribers what is new.
func (w *Watcher) poll() error {
	w.mu.Lock()
	before := w.now
	w.mu.Unlock()
	now, err := w.look(before)
	if err != nil {
		return err
	}
	if now.head.Hash == before.head.Hash {
		return nil
	}
	logs, err := w.logs(before.head.Number, now.head.Number)
	if err != nil {
		return err
	}

	changed := changedSenders(logs)
	w.mu.Lock()
	w.now = now
	for sender := range changed {
		delete(w.senders, sender)
	}
	if now.round.Cmp(before.round) != 0 {
		// What recipients claimed counts anew in each round.
		clear(w.senders)
	}
	w.mu.Unlock()

	for sender := range changed {
		w.changes.send(sender)
	}
	for _, log := range logs {
		if round, ok := w.newRound(log); ok && round.Cmp(before.round) > 0 {
			w.rounds.send(log)
		}
	}
	if now.head.L1Block != before.head.L1Block {
		w.l1Blocks.send(new(big.Int).SetUint64(now.head.L1Block))
	}
	return nil
}

// look reads what time it is.
func (w *Watcher) look(before moment) (moment, error) {
	ctx, cancel := context.WithTimeout(w.ctx, askTimeout)
	defer cancel()
	var now moment
	rounds, bonding := contract.NewRoundsManager(), contract.NewBondingManager()
	b := new(batch)
	b.head(&now.head)
	call(b, w.contracts.RoundsManager, rounds.PackLastInitializedRound(), rounds.UnpackLastInitializedRound, &now.round)
	call(b, w.contracts.BondingManager, bonding.PackGetTranscoderPoolSize(), bonding.UnpackGetTranscoderPoolSize, &now.poolSize)
	if before.round != nil {
		// Most likely the round is still the same. Its hash is read again all the
		// same: a block that replaced another may have brought another hash.
		b.roundHashes(w.contracts, before.round, &now.hashes)
	}
	if err := w.client.do(ctx, b); err != nil {
		return moment{}, err
	}
	if before.round != nil && now.round.Cmp(before.round) == 0 {
		// The pool's size is the one that the round began with.
		now.poolSize = before.poolSize
		return now, nil
	}
	var err error
	now.hashes, err = w.client.roundHashes(ctx, w.contracts, now.round)
	return now, err
}

// logs returns the broker's and the rounds' events since a block.
func (w *Watcher) logs(from, to uint64) ([]types.Log, error) {
	ctx, cancel := context.WithTimeout(w.ctx, askTimeout)
	defer cancel()
	from = min(from, to)
	from -= min(from, overlap)
	var all []types.Log
	for ; from <= to; from += logSpan {
		var logs []types.Log
		err := w.client.rpc.CallContext(ctx, &logs, "eth_getLogs", map[string]any{
			"fromBlock": hexutil.Uint64(from),
			"toBlock":   hexutil.Uint64(min(from+logSpan-1, to)),
			"address":   []common.Address{w.contracts.TicketBroker, w.contracts.RoundsManager},
		})
		if err != nil {
			return nil, w.client.classify(err)
		}
		all = append(all, logs...)
	}
	return all, nil
}

// changedSenders returns whose funds the events changed: all of the broker's events
// that do name the sender first.
func changedSenders(logs []types.Log) map[common.Address]struct{} {
	broker := contract.NewTicketBroker().GetABI()
	changed := make(map[common.Address]struct{})
	for _, log := range logs {
		if len(log.Topics) < 2 {
			continue
		}
		if _, err := broker.EventByID(log.Topics[0]); err == nil {
			changed[common.BytesToAddress(log.Topics[1][:])] = struct{}{}
		}
	}
	return changed
}

func (w *Watcher) newRound(log types.Log) (*big.Int, bool) {
	if log.Address != w.contracts.RoundsManager {
		return nil, false
	}
	event, err := contract.NewRoundsManager().UnpackNewRoundEvent(&log)
	if err != nil {
		return nil, false
	}
	return event.Round, true
}

func (w *Watcher) at() moment {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// LastInitializedRound implements pm.TimeManager.
func (w *Watcher) LastInitializedRound() *big.Int { return new(big.Int).Set(w.at().round) }

// LastInitializedL1BlockHash implements pm.TimeManager.
func (w *Watcher) LastInitializedL1BlockHash() [32]byte { return w.at().hashes[0] }

// PreLastInitializedL1BlockHash implements pm.TimeManager.
func (w *Watcher) PreLastInitializedL1BlockHash() [32]byte { return w.at().hashes[1] }

// GetTranscoderPoolSize implements pm.TimeManager.
func (w *Watcher) GetTranscoderPoolSize() *big.Int { return new(big.Int).Set(w.at().poolSize) }

// LastSeenL1Block implements pm.TimeManager.
func (w *Watcher) LastSeenL1Block() *big.Int { return new(big.Int).SetUint64(w.at().head.L1Block) }

// SubscribeRounds implements pm.TimeManager.
func (w *Watcher) SubscribeRounds(sink chan<- types.Log) event.Subscription {
	return w.rounds.subscribe(sink)
}

// SubscribeL1Blocks implements pm.TimeManager. A slow subscriber gets the newest
// number only.
func (w *Watcher) SubscribeL1Blocks(sink chan<- *big.Int) event.Subscription {
	return w.l1Blocks.subscribe(sink)
}

// GetSenderInfo implements pm.SenderManager. The answer is kept until an event or a
// new round changes it; it is the caller's own.
func (w *Watcher) GetSenderInfo(sender common.Address) (*pm.SenderInfo, error) {
	w.mu.Lock()
	known := w.senders[sender]
	head := w.now.head.Hash
	w.mu.Unlock()
	if known != nil {
		return cloneInfo(known), nil
	}
	ctx, cancel := context.WithTimeout(w.ctx, askTimeout)
	defer cancel()
	var info contract.GetSenderInfoOutput
	b := new(batch)
	b.senderInfo(w.contracts, sender, &info)
	if err := w.client.do(ctx, b); err != nil {
		return nil, fmt.Errorf("read the deposit and reserve of %s: %w", sender, err)
	}
	fresh := protocolInfo(info)
	w.mu.Lock()
	// A block that came in meanwhile may have changed it.
	if w.now.head.Hash == head {
		w.senders[sender] = fresh
	}
	w.mu.Unlock()
	return cloneInfo(fresh), nil
}

func cloneInfo(info *pm.SenderInfo) *pm.SenderInfo {
	return &pm.SenderInfo{
		Deposit:       new(big.Int).Set(info.Deposit),
		WithdrawRound: new(big.Int).Set(info.WithdrawRound),
		Reserve: &pm.ReserveInfo{
			FundsRemaining:        new(big.Int).Set(info.Reserve.FundsRemaining),
			ClaimedInCurrentRound: new(big.Int).Set(info.Reserve.ClaimedInCurrentRound),
		},
	}
}

// ClaimedReserve implements pm.SenderManager.
func (w *Watcher) ClaimedReserve(reserveHolder, claimant common.Address) (*big.Int, error) {
	ctx, cancel := context.WithTimeout(w.ctx, askTimeout)
	defer cancel()
	var claimed *big.Int
	broker := contract.NewTicketBroker()
	b := new(batch)
	call(b, w.contracts.TicketBroker, broker.PackClaimedReserve(reserveHolder, claimant), broker.UnpackClaimedReserve, &claimed)
	if err := w.client.do(ctx, b); err != nil {
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

// IsActive tells whether a recipient is in the pool that redeems now. Rounds before
// the current one cannot be asked for: the contract keeps only what is.
func (w *Watcher) IsActive(recipient common.Address, _ *big.Int) (bool, error) {
	ctx, cancel := context.WithTimeout(w.ctx, askTimeout)
	defer cancel()
	var active bool
	bonding := contract.NewBondingManager()
	b := new(batch)
	call(b, w.contracts.BondingManager, bonding.PackIsActiveTranscoder(recipient), bonding.UnpackIsActiveTranscoder, &active)
	if err := w.client.do(ctx, b); err != nil {
		return false, fmt.Errorf("read whether %s is active: %w", recipient, err)
	}
	return active, nil
}
