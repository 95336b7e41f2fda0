package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

const (
	// rounds limits how often a read goes around the nodes, and roundsWhenBusy how often if one
	// of them asks to wait.
	rounds, roundsWhenBusy = 4, 7
	// firstBackoff is the wait after the first round; it doubles.
	firstBackoff = 100 * time.Millisecond
	// longestShare limits the wait for one node while there is another to ask.
	longestShare = 20 * time.Second
	// longestWait limits the wait that a node may ask for if the context sets no limit.
	longestWait = time.Minute
)

// ask fills in the results of all elements, each with its own error if the node answers with
// one. It fails with *NodeError, *ChainIDError, ErrUnreachable, and context.Canceled.
func (c *Client) ask(ctx context.Context, elems []rpc.BatchElem) error {
	if len(elems) == 1 && elems[0].Method == "eth_sendRawTransaction" {
		return c.handOver(ctx, elems)
	}
	a := &asking{Client: c, elems: elems}
	var told []error // the nodes' faults in the last complete round
	for round, backoff := 1, firstBackoff; ; round, backoff = round+1, backoff*2 {
		errs := a.around(ctx)
		if errs == nil {
			return nil
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return context.Canceled
		}
		if told != nil && ctx.Err() != nil {
			return asOne(told) // an incomplete round has fewer
		}
		told = errs
		wait, ok := waitAfter(errs, round, backoff)
		if ends, bounded := ctx.Deadline(); !ok || bounded && time.Until(ends) <= wait || !bounded && wait > longestWait {
			return asOne(errs)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			if errors.Is(ctx.Err(), context.Canceled) {
				return context.Canceled
			}
			return asOne(errs)
		}
	}
}

// waitAfter returns how long to wait before the next round, and false if another round cannot
// help: backoff, or what a node asks for.
func waitAfter(errs []error, round int, backoff time.Duration) (time.Duration, bool) {
	wait, again := time.Duration(0), false
	for _, err := range errs {
		fault, ok := err.(*NodeError)
		if !ok || !fault.passing() || round >= rounds && fault.Fault != FaultBusy || round >= roundsWhenBusy {
			continue
		}
		if its := max(backoff, fault.Wait); !again || its < wait {
			wait = its
		}
		again = true
	}
	return wait, again
}

// handOver sends a transaction to one node, once.
func (c *Client) handOver(ctx context.Context, elems []rpc.BatchElem) error {
	to := c.all[c.start()]
	answers, fault := to.once(ctx, elems)
	if fault != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return context.Canceled
		}
		return fault
	}
	return decode(elems, answers, to)
}

func (c *Client) start() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// asking is a read in progress.
type asking struct {
	*Client
	elems []rpc.BatchElem
	// of is the node that the answers come from: all from one.
	of      int
	answers []answer
}

// around asks one node after the other until one answers, starting with the last one that did,
// and returns the faults of the others.
func (a *asking) around(ctx context.Context) (errs []error) {
	first := a.start()
	old := -1 // a node whose newest block is older than the network allows
	var aged []answer
	again := false
	for i := range a.all {
		at := (first + i) % len(a.all)
		left := len(a.all) - i
		if again && left == 1 {
			left++ // for those that may be asked again
		}
		share, end := shareOf(ctx, left)
		err := a.from(share, at)
		end()
		if err == nil && len(a.all) > 1 && a.stale() {
			old, aged = at, a.answers
			a.answers = nil
			continue
		}
		if err == nil {
			return a.take(at)
		}
		errs = append(errs, err)
		var fault *NodeError
		again = again || errors.As(err, &fault) && fault.passing()
		if ctx.Err() != nil {
			break
		}
	}
	if old >= 0 {
		// The caller decides whether a stale answer will do.
		a.answers = aged
		return a.take(old)
	}
	return errs
}

// shareOf gives one node its share of the remaining time, with others left to ask.
func shareOf(ctx context.Context, left int) (context.Context, context.CancelFunc) {
	if left == 1 {
		return ctx, func() {}
	}
	share := longestShare
	if ends, bounded := ctx.Deadline(); bounded {
		share = min(share, time.Until(ends)/time.Duration(left))
	}
	return context.WithTimeout(ctx, share)
}

// from asks one node for the missing answers.
func (a *asking) from(ctx context.Context, at int) error {
	if err := a.check(ctx, at); err != nil {
		return err
	}
	if a.answers == nil || a.of != at {
		a.of, a.answers = at, make([]answer, len(a.elems))
	}
	node := a.all[at]
	if fault := node.fill(ctx, a.elems, a.answers); fault != nil {
		return fault
	}
	if err := a.sameChain(node, a.elems, a.answers); err != nil {
		return err
	}
	return a.complete(node)
}

// complete fails with FaultBehind if the node lacks the last block of Logs: it may leave out
// events then. Servers behind one URL may differ in their newest blocks.
func (a *asking) complete(node *node) error {
	for i, elem := range a.elems {
		if elem.Method != "eth_getLogs" || i == 0 || a.elems[i-1].Method != "eth_getBlockByNumber" || string(a.answers[i-1].result) != "null" {
			continue
		}
		a.answers = nil // all are asked for again
		return &NodeError{URL: node.shown, Fault: FaultBehind, Err: fmt.Errorf("was asked for events up to block %d, but does not have that block", a.elems[i-1].Args[0])}
	}
	return nil
}

// sameChain fails with *ChainIDError if a node answers with another chain ID.
func (c *Client) sameChain(node *node, elems []rpc.BatchElem, answers []answer) error {
	if got := node.otherChain(elems, answers); got != nil {
		return &ChainIDError{Network: c.network.Name, URL: node.shown, Got: got.Uint64(), Want: c.network.ID}
	}
	return nil
}

// take sets the elements' answers, and asks their node first from now on.
func (a *asking) take(at int) []error {
	newest := uint64(0)
	for i, elem := range a.elems {
		if head, ok := a.head(i); ok && elem.Method == "eth_getBlockByNumber" {
			newest = max(newest, head.Number)
		}
	}
	a.mu.Lock()
	a.current, a.answered = at, true
	a.newest = max(a.newest, newest)
	a.mu.Unlock()
	if err := decode(a.elems, a.answers, a.all[at]); err != nil {
		return []error{err}
	}
	return nil
}

// head returns the newest block if an answer is one.
func (a *asking) head(i int) (Head, bool) {
	elem := a.elems[i]
	if elem.Method != "eth_getBlockByNumber" || len(elem.Args) == 0 || elem.Args[0] != "latest" || a.answers[i].err != nil {
		return Head{}, false
	}
	head, err := parseHead(a.answers[i].result)
	return head, err == nil
}

// stale reports whether the answers are from a node that has fallen behind.
func (a *asking) stale() bool {
	for i := range a.elems {
		if head, ok := a.head(i); ok && a.network.MaxHeadAge > 0 && time.Since(head.Time) > a.network.MaxHeadAge {
			return true
		}
	}
	return false
}

func decode(elems []rpc.BatchElem, answers []answer, from *node) error {
	for i := range elems {
		if said := answers[i].err; said != nil {
			elems[i].Error = said
			continue
		}
		if err := json.Unmarshal(answers[i].result, elems[i].Result); err != nil {
			return from.malformed(elems[i].Method, err)
		}
	}
	return nil
}

// check verifies that a node serves the network's chain, and has the blocks that the previous
// node reported. The very first node is checked by the client's own reads.
func (c *Client) check(ctx context.Context, at int) error {
	node := c.all[at]
	c.mu.Lock()
	same, newest := c.current == at && (c.answered || at == 0), c.newest
	c.mu.Unlock()
	if same {
		return nil
	}
	var id json.RawMessage
	var height hexutil.Uint64
	elems := make([]rpc.BatchElem, 0, 2)
	if newest > 0 {
		elems = append(elems, rpc.BatchElem{Method: "eth_blockNumber", Result: &height})
	}
	if !node.serves.Load() {
		elems = append(elems, rpc.BatchElem{Method: "eth_chainId", Result: &id})
	}
	if len(elems) == 0 {
		return nil
	}
	answers := make([]answer, len(elems))
	if fault := node.fill(ctx, elems, answers); fault != nil {
		return fault
	}
	if err := decode(elems, answers, node); err != nil {
		return err
	}
	for _, elem := range elems {
		if said, ok := elem.Error.(*AnswerError); ok {
			return &NodeError{URL: node.shown, Fault: FaultNotNode, Words: said.Message}
		}
	}
	if err := c.sameChain(node, elems, answers); err != nil {
		return err
	}
	node.serves.Store(true)
	if uint64(height) < newest {
		return &NodeError{URL: node.shown, Fault: FaultBehind, Err: fmt.Errorf("has blocks up to %d, while another node has block %d", height, newest)}
	}
	return nil
}
