package nodes

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// connection sends several requests to a node in one message. It returns the answers, with gaps
// where some are missing, or all of them and nil.
type connection interface {
	exchange(ctx context.Context, elems []rpc.BatchElem) ([]answer, *NodeError)
}

// node is one of a network's nodes.
type node struct {
	connection
	shown   string // its URL without secrets
	chainID uint64 // the network's
	trace   func(Exchange)
	found   func(url string, atOnce int) // called with a new most; may be nil

	// most is how many requests it accepts at once; 0 until it has refused a number.
	most atomic.Int64
	// serves is set once it is known to serve the network's chain.
	serves atomic.Bool
}

// optionalTip is the only method that some nodes lack.
const optionalTip = "eth_maxPriorityFeePerGas"

// Exchange is one message to a node and its answer, for --verbose.
type Exchange struct {
	// URL is the node's, without what is secret in it.
	URL string
	// Methods are the methods called.
	Methods []string
	// Took is how long the answer took.
	Took time.Duration
	// Err is why there is no answer; nil if there is one.
	Err error
}

// atOnce returns how many of count requests to send at once.
func (n *node) atOnce(count int) int {
	if most := int(n.most.Load()); most > 0 {
		return min(count, most)
	}
	return count
}

func (n *node) setAtOnce(most int) {
	n.most.Store(int64(most))
	if n.found != nil {
		n.found(n.shown, most)
	}
}

// fill sends the unanswered requests, as many at once as the node accepts. A refused message is
// halved, down to single requests.
func (n *node) fill(ctx context.Context, elems []rpc.BatchElem, answers []answer) *NodeError {
	for {
		var open []int
		for i := range answers {
			if !answers[i].given() {
				open = append(open, i)
			}
		}
		if len(open) == 0 {
			return nil
		}
		open = open[:n.atOnce(len(open))]
		some := make([]rpc.BatchElem, len(open))
		for i, at := range open {
			some[i] = elems[at]
		}
		got, fault := n.once(ctx, some)
		given := 0
		for i, a := range got {
			if a.given() {
				answers[open[i]] = a
				given++
			}
		}
		switch {
		case fault == nil:
		case given > 0 && fault.Fault != FaultBusy:
			n.setAtOnce(given)
		case fault.whole && len(open) > 1:
			n.setAtOnce(max(1, len(open)/2))
			if fault.Fault == FaultBusy {
				return fault // after a pause, and then for less
			}
		default:
			return fault
		}
	}
}

// once asks in one message.
func (n *node) once(ctx context.Context, elems []rpc.BatchElem) ([]answer, *NodeError) {
	begun := time.Now()
	answers, fault := n.exchange(ctx, elems)
	for i := 0; i < len(answers); i++ {
		if answers[i].result == nil {
			continue
		}
		result, err := inForm(n.chainID, elems[i], answers[i].result)
		switch {
		case err == nil:
			answers[i].result = result
		case n.otherChain(elems, answers) != nil:
			return answers, fault // there is nothing else to report
		case elems[i].Method == optionalTip:
			answers[i] = answer{err: &AnswerError{URL: n.shown, Message: err.Error()}} // the caller has other ways to find it out
		default:
			answers, fault = nil, n.malformed(elems[i].Method, err)
		}
	}
	if n.trace != nil {
		e := Exchange{URL: n.shown, Methods: make([]string, len(elems)), Took: time.Since(begun)}
		for i, elem := range elems {
			e.Methods[i] = elem.Method
		}
		if fault != nil {
			e.Err = fault
		}
		n.trace(e)
	}
	return answers, fault
}

// otherChain returns the chain ID of the node's answer if it is not the network's, nil otherwise.
func (n *node) otherChain(elems []rpc.BatchElem, answers []answer) *big.Int {
	for i := range answers {
		if elems[i].Method != "eth_chainId" || answers[i].result == nil {
			continue
		}
		var id hexutil.Big
		text, err := number(answers[i].result)
		if err == nil && json.Unmarshal(text, &id) == nil && id.ToInt().Cmp(new(big.Int).SetUint64(n.chainID)) != 0 {
			return id.ToInt()
		}
	}
	return nil
}

func (n *node) malformed(method string, err error) *NodeError {
	return &NodeError{URL: n.shown, Fault: FaultMalformed, Err: fmt.Errorf("answered %s in an invalid format: %w", method, err)}
}
