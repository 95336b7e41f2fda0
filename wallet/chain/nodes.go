package chain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// nodes sends each request to the first of a network's nodes that answers it. Reads are
// tried again, on the next node and after a while; a transaction is handed over once,
// since whoever waits for it must know what became of that.
type nodes struct {
	next    http.RoundTripper
	network Network
	urls    []*url.URL

	mu sync.Mutex
	// current is the node that answered last, and sound tells which nodes are known to
	// serve the network's chain. The first one is checked by the client itself.
	current int
	sound   []bool
}

const (
	// attempts bounds how often a read goes around the nodes.
	attempts = 4
	// firstBackoff is the wait after the first round; it doubles.
	firstBackoff = 100 * time.Millisecond
)

func newNodes(next http.RoundTripper, network Network, urls []*url.URL) *nodes {
	n := &nodes{next: next, network: network, urls: urls, sound: make([]bool, len(urls))}
	n.sound[0] = true
	return n
}

// RoundTrip implements http.RoundTripper.
func (n *nodes) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body.Close()
	if bytes.Contains(body, []byte(`"eth_sendRawTransaction"`)) {
		return n.ask(req, n.start(), body)
	}
	for round, wait := 1, firstBackoff; ; round, wait = round+1, wait*2 {
		res, err := n.around(req, body)
		if round == attempts || !worthAnother(res, err) {
			return res, err
		}
		if res != nil {
			res.Body.Close()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-req.Context().Done():
			timer.Stop()
			return nil, req.Context().Err()
		}
	}
}

// around asks one node after the other until one answers, from the one that did last.
func (n *nodes) around(req *http.Request, body []byte) (*http.Response, error) {
	first := n.start()
	var res *http.Response
	var err error
	for i := range n.urls {
		node := (first + i) % len(n.urls)
		if err = n.check(req.Context(), node); err != nil {
			continue
		}
		if res != nil {
			res.Body.Close()
		}
		if res, err = n.ask(req, node, body); !failed(res, err) || req.Context().Err() != nil {
			n.mu.Lock()
			n.current = node
			n.mu.Unlock()
			return res, err
		}
	}
	if res != nil {
		return res, nil // an answer, though a bad one, says more than the last error
	}
	return nil, err
}

func (n *nodes) start() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.current
}

// ask sends a request to one node.
func (n *nodes) ask(req *http.Request, node int, body []byte) (*http.Response, error) {
	to := req.Clone(req.Context())
	to.URL, to.Host = n.urls[node], ""
	// The request may carry what the first node's URL says; each node gets its own.
	to.Header.Del("Authorization")
	if user := to.URL.User; user != nil {
		password, _ := user.Password()
		to.SetBasicAuth(user.Username(), password)
	}
	to.Body = io.NopCloser(bytes.NewReader(body))
	return n.next.RoundTrip(to)
}

// failed tells whether another node may do better.
func failed(res *http.Response, err error) bool {
	return err != nil || slices.Contains([]int{
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, res.StatusCode)
}

// worthAnother tells whether the same nodes may do better in a while. One that nobody
// listens for is down for longer than that.
func worthAnother(res *http.Response, err error) bool {
	var dial *net.OpError
	var other *ChainIDError
	switch {
	case errors.As(err, &other), errors.As(err, &dial) && dial.Op == "dial", errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	return failed(res, err)
}

// check finds out, once, whether a node serves the network's chain.
func (n *nodes) check(ctx context.Context, node int) error {
	n.mu.Lock()
	sound := n.sound[node]
	n.mu.Unlock()
	if sound {
		return nil
	}
	const question = `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.urls[node].String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := n.ask(req, node, []byte(question))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct{ Result hexutil.Uint64 }
	const enough = 4096
	if err := json.NewDecoder(io.LimitReader(res.Body, enough)).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", redact(n.urls[node].String()), err)
	}
	if uint64(answer.Result) != n.network.ChainID {
		return &ChainIDError{Network: n.network.Name, URL: redact(n.urls[node].String()), Got: uint64(answer.Result), Want: n.network.ChainID}
	}
	n.mu.Lock()
	n.sound[node] = true
	n.mu.Unlock()
	return nil
}
