package nodes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/internal/words"
)

// Fault is the way in which a node failed to answer.
type Fault string

// The faults of nodes.
const (
	// FaultConnection is a node to which there is no connection, or a lost one.
	FaultConnection Fault = "connection"
	// FaultSilent is a node that did not answer in time.
	FaultSilent Fault = "silent"
	// FaultBroken is a server whose node is temporarily down.
	FaultBroken Fault = "broken"
	// FaultBusy is a node that limits how often it answers.
	FaultBusy Fault = "busy"
	// FaultDenied is a node that rejects the URL: its key is missing, wrong or not valid for
	// this network.
	FaultDenied Fault = "denied"
	// FaultNotNode is a server that is not a node.
	FaultNotNode Fault = "not_a_node"
	// FaultMalformed is an answer that violates Ethereum's specification.
	FaultMalformed Fault = "malformed"
	// FaultBehind is a node without the blocks that another one, or itself, has reported.
	FaultBehind Fault = "behind"
)

// NodeError is a node that could not be asked. It matches ErrUnreachable.
type NodeError struct {
	// URL is the node's, without secrets.
	URL string
	// Fault is its kind of failure.
	Fault Fault
	// Status is the answer's HTTP status; "" for a success, and if there was no answer.
	Status string
	// Words are the node's own, on one line and without secrets; "" for none.
	Words string
	// Wait is how long it asks to wait; 0 if it does not say.
	Wait time.Duration
	// Err is the error on this side, if there was one.
	Err error

	// code is the number of the HTTP status. whole is set if the node refused the request as a
	// whole: a smaller one may succeed.
	code  int
	whole bool
}

func (e *NodeError) Error() string {
	status := ""
	if e.Status != "" {
		status = " with HTTP status " + e.Status
	}
	quote := ""
	if e.Words != "" {
		quote = fmt.Sprintf(": %q", e.Words)
	}
	switch e.Fault {
	case FaultBusy:
		wait := ""
		if e.Wait > 0 {
			wait = fmt.Sprintf(", and asks to wait %s", duration.Text(e.Wait))
		}
		return fmt.Sprintf("the node at %s limits the rate of requests%s%s%s", e.URL, status, wait, quote)
	case FaultDenied:
		if e.code == http.StatusProxyAuthRequired {
			return fmt.Sprintf("%v: %s: a proxy refuses access%s%s", ErrUnreachable, e.URL, status, quote)
		}
		return fmt.Sprintf("the node at %s refuses access%s%s", e.URL, status, quote)
	case FaultMalformed, FaultBehind:
		return fmt.Sprintf("the node at %s %v", e.URL, e.Err)
	case FaultSilent:
		return fmt.Sprintf("%v: %s did not answer in time", ErrUnreachable, e.URL)
	}
	switch {
	case e.Status != "":
		return fmt.Sprintf("%v: %s answered%s%s", ErrUnreachable, e.URL, status, quote)
	case e.Err == nil:
		return fmt.Sprintf("%v: %s answered%s", ErrUnreachable, e.URL, quote)
	}
	reason := cmp.Or(neterr.Reason(e.Err), e.Err.Error())
	return fmt.Sprintf("%v: %s: %s%s", ErrUnreachable, e.URL, reason, quote)
}

func (e *NodeError) Is(target error) bool { return target == ErrUnreachable }
func (e *NodeError) Unwrap() error        { return e.Err }

func (e *NodeError) Hint() string {
	if e.code == http.StatusProxyAuthRequired || neterr.OfProxy(e.Err) != nil {
		return "check the proxy of HTTPS_PROXY or HTTP_PROXY"
	}
	const another = "pass another node's --rpc-url, or set rpc_urls in the config file"
	switch e.Fault {
	case FaultBusy:
		return "try again later, raise --timeout, or " + another
	case FaultDenied:
		return "check the key in the node's URL (--rpc-url, ETH_RPC_URL, or rpc_urls in the config file), and that it is valid for this network"
	case FaultMalformed, FaultBehind:
		return another
	}
	next, _ := hint.Of(ErrUnreachable)
	return next
}

// passing reports whether the same node may answer after a pause. One that refuses connections
// will be down for longer.
func (e *NodeError) passing() bool {
	switch e.Fault {
	case FaultBusy, FaultBroken, FaultBehind:
		return true
	case FaultConnection:
		var dial *net.OpError
		return !errors.As(e.Err, &dial) || dial.Op != "dial"
	}
	return errors.Is(e.Err, errCut)
}

// asOne joins the errors of nodes none of which could be asked: a *NodeError or a *ChainIDError for each.
func asOne(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	faults := words.Join(errs, "; ", func(err error) string { return strings.TrimPrefix(err.Error(), ErrUnreachable.Error()+": ") })
	return hint.With(hint.Kind(errors.Join(append(slices.Clip(errs), ErrUnreachable)...), fmt.Errorf("none of %d RPC nodes answered: %s", len(errs), faults)),
		"check rpc_urls in the config file; --verbose shows each request to a node")
}

// noConnection is the error of a request without an answer.
func noConnection(url string, err error) *NodeError {
	if errors.Is(err, context.DeadlineExceeded) {
		return &NodeError{URL: url, Fault: FaultSilent, Err: context.DeadlineExceeded}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return &NodeError{URL: url, Fault: FaultSilent, Err: err}
	}
	return &NodeError{URL: url, Fault: FaultConnection, Err: err}
}

// faultSaid returns the fault that a node's error answer shows; "" if it is about the request
// itself. JSON-RPC has no code for most of them, and providers use words of their own.
func faultSaid(method string, said *AnswerError) Fault {
	if method == "eth_sendRawTransaction" || said.revert() != nil {
		return ""
	}
	text := strings.ToLower(said.Message)
	mentions := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case mentions("rate limit", "ratelimit", "rate-limit", "too many request", "capacity limit", "capacity exceeded",
		"compute unit", "request limit", "request count", "quota", "throughput", "credits"),
		said.Code == 429, said.Code == limitExceeded && method != "eth_getLogs":
		return FaultBusy // for events, it limits the number of results
	case mentions("does not have access", "unauthorized", "not authorized", "api key", "apikey", "api-key", "authenticat",
		"forbidden", "access denied", "invalid project id"):
		return FaultDenied
	case mentions("header not found") && method != "eth_getLogs":
		return FaultBroken // one of several behind the URL lacks the newest block
	}
	return ""
}

// limitExceeded is EIP-1474's code for a limit of any kind.
const limitExceeded = -32005
