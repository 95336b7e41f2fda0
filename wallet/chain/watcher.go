package chain

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/event"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/contract"
)

// Watcher follows a chain for a recipient: it is package pm's TimeManager and SenderManager.
//
// Over WebSocket it reads the chain with each new block. Over HTTP, and if a node has no
// subscriptions, it reads at an interval, and less often while the node does not answer; it
// catches up afterwards.
//
// After a reorg its state is as if the replaced blocks had never existed: it notifies about
// each sender whose funds an event changed in the old or the new blocks. Its time may go back;
// see LastSeenL1Block.
type Watcher struct {
	client    *Client
	contracts Contracts
	interval  time.Duration
	ctx       context.Context
	stop      context.CancelFunc
	done      chan struct{}

	// Owned by the goroutine that follows the chain.
	window window
	begun  []beginning

	mu      sync.Mutex
	now     moment
	senders map[common.Address]known
	seen    time.Time
	err     error

	l1Blocks feed[*big.Int]
	rounds   feed[types.Log]
	changes  feed[common.Address]
}

var (
	_ pm.TimeManager   = (*Watcher)(nil)
	_ pm.SenderManager = (*Watcher)(nil)
)

// moment is the state that the watcher last read.
type moment struct {
	head     Head
	round    *big.Int
	hashes   [2][32]byte
	poolSize *big.Int
}

// beginning is the start of a round, as subscribers were notified.
type beginning struct {
	round *big.Int
	hash  [32]byte
}

const (
	// maxGap limits the time between looks at new blocks: of faster blocks, one look serves
	// several.
	maxGap = time.Second / 2
	// calm is how many intervals may pass without a look while the node announces blocks, in
	// case it has stopped announcing them.
	calm = 10
	// maxBackoff limits the wait between attempts to reach a node.
	maxBackoff = time.Minute
	// askTimeout limits one request.
	askTimeout = 30 * time.Second
	// maxBegun limits the remembered beginnings: no more fit into a window.
	maxBegun = overlap
)

// Watch reads the chain once, and then again until Close or until ctx ends: with each announced
// block, or else at every interval. It fails as Contracts does, and if interval is not positive.
func Watch(ctx context.Context, client *Client, interval time.Duration) (*Watcher, error) {
	if interval <= 0 {
		return nil, fmt.Errorf("watch the chain: the interval %v must be positive", duration.Text(interval))
	}
	contracts, err := client.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	w := &Watcher{
		client:    client,
		contracts: contracts,
		interval:  interval,
		done:      make(chan struct{}),
		senders:   make(map[common.Address]known),
		seen:      time.Now(),
	}
	w.l1Blocks.latest = true
	w.ctx, w.stop = context.WithCancel(ctx)
	if w.now, err = w.look(moment{}); err == nil {
		w.window, _, err = w.advance(window{}, w.now.head)
	}
	if err != nil {
		w.stop()
		return nil, err
	}
	before := new(big.Int).Sub(w.now.round, big.NewInt(1))
	w.begun = []beginning{{before, w.now.hashes[1]}, {w.now.round, w.now.hashes[0]}}
	go w.follow()
	return w, nil
}

// Close stops the watcher and waits until it has stopped. A node that does not answer can delay
// that by 10 seconds, unless the client is closed.
func (w *Watcher) Close() {
	w.stop()
	<-w.done
}

// Err returns why the newest look failed, with the age of the watcher's state, or nil if it
// succeeded.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		return nil
	}
	return fmt.Errorf("the chain was last seen %s ago: %w", duration.Text(time.Since(w.seen).Round(time.Second)), w.err)
}

func (w *Watcher) follow() {
	defer close(w.done)
	heads := newHeads{dial: w.client.Subscriber(), blocks: make(chan newHead)}
	defer heads.end()
	gap := min(w.interval, maxGap)
	backoff := gap
	var earliest time.Time // of a look for a new block
	announced := false     // a new block was announced since the last look
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case head := <-heads.blocks:
			announced = true
			if head.Hash != w.at().head.Hash {
				next.Reset(time.Until(earliest))
			}
			continue
		case <-heads.lost():
			heads.end()
		case <-next.C:
		}
		// The look follows the subscription, so that no block is missed in between.
		subscribed, last := heads.sub != nil, w.at().head.Hash
		heads.begin(w.ctx)
		err := w.poll()
		if subscribed && !announced && w.at().head.Hash != last {
			heads.end() // it has stopped announcing blocks
		}
		announced = false
		wait := w.interval
		if err != nil {
			backoff = min(2*backoff, maxBackoff)
			wait = backoff
			heads.refused = false // by the previous node
			earliest = time.Now().Add(wait)
		} else {
			switch {
			case heads.sub != nil:
				wait = calm * w.interval
			case heads.wanted():
				wait = min(wait, gap) // the connection was restored after the request failed
			}
			backoff = gap
			earliest = time.Now().Add(gap)
		}
		next.Reset(wait)
	}
}

// poll reads the chain, and remembers the error.
func (w *Watcher) poll() error {
	err := w.update()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err = err; err == nil {
		w.seen = time.Now()
	}
	return err
}

// update reads the chain and notifies subscribers.
func (w *Watcher) update() error {
	before := w.at()
	now, err := w.look(before)
	if err != nil {
		return err
	}
	var diff difference
	if now.head.Hash != before.head.Hash {
		var after window
		if after, diff, err = w.advance(w.window, now.head); err != nil {
			return err
		}
		w.window = after
	}

	changed := make(map[common.Address]struct{})
	changedSenders(changed, diff.removed)
	changedSenders(changed, diff.added)
	w.mu.Lock()
	w.now = now
	for sender, known := range w.senders {
		if diff.lost {
			changed[sender] = struct{}{} // by events that can no longer be found
		}
		if _, ok := changed[sender]; ok || known.ahead {
			delete(w.senders, sender)
		}
	}
	if now.round.Cmp(before.round) != 0 {
		// Claims start at 0 in each round.
		clear(w.senders)
	}
	w.mu.Unlock()

	for sender := range changed {
		w.changes.send(sender)
	}
	for _, log := range diff.added {
		if w.begins(log) {
			w.rounds.send(log)
		}
	}
	if now.head.L1Block != before.head.L1Block {
		w.l1Blocks.send(new(big.Int).SetUint64(now.head.L1Block))
	}
	return nil
}

// look reads the present block and round.
func (w *Watcher) look(before moment) (moment, error) {
	var now moment
	rounds, bonding := contract.NewRoundsManager(), contract.NewBondingManager()
	b := new(batch)
	b.Head(&now.head)
	call(b, w.contracts.RoundsManager, rounds.PackLastInitializedRound(), rounds.UnpackLastInitializedRound, &now.round)
	call(b, w.contracts.BondingManager, bonding.PackGetTranscoderPoolSize(), bonding.UnpackGetTranscoderPoolSize, &now.poolSize)
	if before.round != nil {
		// The round is most likely the same. Its hash is read again all the same: a reorg may
		// have changed it.
		b.roundHashes(w.contracts, before.round, &now.hashes)
	}
	if err := w.ask(b); err != nil {
		return moment{}, err
	}
	if before.round == nil || now.round.Cmp(before.round) != 0 {
		hashes := new(batch)
		hashes.roundHashes(w.contracts, now.round, &now.hashes)
		return now, w.ask(hashes)
	}
	if now.hashes == before.hashes {
		// The pool's size is that of the round's beginning.
		now.poolSize = before.poolSize
	}
	return now, nil
}

// ask is one request of the watcher's own.
func (w *Watcher) ask(b *batch) error {
	ctx, cancel := context.WithTimeout(w.ctx, askTimeout)
	defer cancel()
	return w.client.Do(ctx, &b.Batch)
}

// begins reports whether an event is a beginning that subscribers have not seen: of a new
// round, or with a new block hash.
func (w *Watcher) begins(log types.Log) bool {
	if log.Address != w.contracts.RoundsManager {
		return false
	}
	event, err := contract.NewRoundsManager().UnpackNewRoundEvent(&log)
	if err != nil {
		return false
	}
	for _, b := range slices.Backward(w.begun) {
		if b.round.Cmp(event.Round) == 0 {
			if b.hash == event.BlockHash {
				return false
			}
			break
		}
	}
	w.begun = append(w.begun, beginning{event.Round, event.BlockHash})
	w.begun = w.begun[max(0, len(w.begun)-maxBegun):]
	return true
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

// LastSeenL1Block implements pm.TimeManager. It is the newest block's L1 number, and goes back
// with the chain: on a chain that is its own L1 while a new fork is shorter than the old one,
// or if one of several nodes lags.
//
// Params that have expired do not become valid again: a pm.Recipient that has dropped the
// nonces of expired params refuses all tickets of params up to then. Params made in the
// meantime expire earlier, and a redemption that waits for params to expire waits longer.
func (w *Watcher) LastSeenL1Block() *big.Int { return new(big.Int).SetUint64(w.at().head.L1Block) }

// SubscribeRounds implements pm.TimeManager. It sends one event for each round, and another
// only if a reorg changes the round's block hash. There is no event for a round that a reorg
// undoes; LastInitializedRound goes back.
func (w *Watcher) SubscribeRounds(sink chan<- types.Log) event.Subscription {
	return w.rounds.subscribe(sink)
}

// SubscribeL1Blocks implements pm.TimeManager. A slow subscriber gets only the newest number.
// After a reorg, the number may be lower than the one before.
func (w *Watcher) SubscribeL1Blocks(sink chan<- *big.Int) event.Subscription {
	return w.l1Blocks.subscribe(sink)
}
