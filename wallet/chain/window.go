package chain

import (
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/broker"
)

const (
	// overlap is how many blocks are read again to detect a reorg: as many as Ethereum needs to
	// finalize a block.
	overlap = 64
	// logSpan is how many blocks one request covers; nodes refuse more than some thousands.
	logSpan = 2000
)

// window is the end of the chain that is read again.
type window struct {
	// number and hash are those of the block before the window. While they are the same, all
	// earlier blocks are.
	number uint64
	hash   common.Hash
	// logs are the relevant events in the window.
	logs []types.Log
}

// difference is the effect of new blocks on a window.
type difference struct {
	added, removed []types.Log
	// lost is set if blocks before the window were replaced too: more events may be undone than
	// the removed ones.
	lost bool
}

// advance reads the window that ends with head, and compares it with the previous one. The
// first window has no previous one.
func (w *Watcher) advance(before window, head Head) (window, difference, error) {
	after := window{number: head.Number - min(head.Number, overlap)}
	ctx, cancel := context.WithTimeout(w.ctx, askTimeout)
	defer cancel()
	begins, err := w.client.Blocks(ctx, before.number, after.number)
	if err != nil {
		return window{}, difference{}, err
	}
	was := begins[0].Hash
	after.hash = begins[1].Hash
	if after.hash == (common.Hash{}) {
		return window{}, difference{}, fmt.Errorf("%w: the node has block %d and not block %d", ErrUnreachable, head.Number, after.number)
	}
	first := before.hash == (common.Hash{})
	diff := difference{lost: !first && was != before.hash}
	from := after.number
	if !first && !diff.lost {
		// Nothing since then is missed, however long ago it was. If the head went back, events
		// before the old window are not new.
		from = before.number
		if after.number < before.number {
			after.number, after.hash = before.number, before.hash
		}
	}
	logs, err := w.logs(from+1, head.Number)
	if err != nil {
		return window{}, difference{}, err
	}
	diff.added = without(logs, before.logs)
	diff.removed = without(before.logs, logs)
	for _, log := range logs {
		if log.BlockNumber > after.number {
			after.logs = append(after.logs, log)
		}
	}
	return after, diff, nil
}

// without returns the events that are not among others. The same event in another block is a
// different one.
func without(logs, others []types.Log) []types.Log {
	type id struct {
		block common.Hash
		index uint
	}
	known := make(map[id]struct{}, len(others))
	for _, log := range others {
		known[id{log.BlockHash, log.Index}] = struct{}{}
	}
	return slices.DeleteFunc(slices.Clone(logs), func(log types.Log) bool {
		_, ok := known[id{log.BlockHash, log.Index}]
		return ok
	})
}

// logs returns the events of the broker and the rounds manager in a range of blocks.
func (w *Watcher) logs(from, to uint64) (all []types.Log, err error) {
	for ; from <= to; from += logSpan {
		logs, err := w.someLogs(from, min(from+logSpan-1, to))
		if err != nil {
			return nil, err
		}
		all = append(all, logs...)
	}
	return all, nil
}

func (w *Watcher) someLogs(from, to uint64) ([]types.Log, error) {
	ctx, cancel := context.WithTimeout(w.ctx, askTimeout)
	defer cancel()
	return w.client.Logs(ctx, from, to, map[string]any{"address": []common.Address{w.contracts.TicketBroker, w.contracts.RoundsManager}})
}

// changedSenders adds the senders whose funds the events changed.
func changedSenders(into map[common.Address]struct{}, logs []types.Log) {
	for _, log := range logs {
		if sender := broker.SenderOf(log); sender != (common.Address{}) {
			into[sender] = struct{}{}
		}
	}
}
