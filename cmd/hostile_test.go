package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// A node that fails in every way that nodes, and what stands before them, do.
const (
	faultNone      = iota
	faultDrop      // the request is forwarded, the answer never comes
	faultDelay     // the answer comes late
	faultDuplicate // the request is forwarded twice
	faultBusy      // 429
	faultDown      // 503, nothing is forwarded
	faultGateway   // 502, though the request was forwarded
	faultGarbage   // what comes back is no JSON
	faultChain     // another chain's id
	faultStale     // as the chain was some blocks ago
	faultSwallow   // a transaction is accepted and thrown away
	faultReorg     // the newest block is replaced, and its transactions are gone
	faults
)

// hostile stands before a local network's node. Each request may meet a fault, by
// chance from a seed.
type hostile struct {
	t    *testing.T
	net  *devnet.Devnet
	node *rpc.Client

	mu     sync.Mutex
	random *rand.Rand
	honest bool
}

func newHostile(t *testing.T, d *devnet.Devnet, seed uint64) (*hostile, string) {
	t.Helper()
	node, err := rpc.Dial(d.RPCURL())
	require.NoError(t, err)
	t.Cleanup(node.Close)
	h := &hostile{t: t, net: d, node: node, random: rand.New(rand.NewPCG(seed, 1))}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return h, server.URL
}

// fault draws what happens to the next request: nothing, more often than not.
func (h *hostile) fault() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.honest || h.random.IntN(10) < 7 {
		return faultNone
	}
	return 1 + h.random.IntN(faults-1)
}

type rpcRequest struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

type rpcReply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	fault := h.fault()
	switch fault {
	case faultBusy:
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case faultDown:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	batch := bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
	if !batch {
		body = append(append([]byte("["), body...), ']')
	}
	var requests []rpcRequest
	if err := json.Unmarshal(body, &requests); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	replies := make([]rpcReply, len(requests))
	for i, req := range requests {
		replies[i] = h.answer(r.Context(), req, fault)
		if fault == faultDuplicate {
			replies[i] = h.answer(r.Context(), req, fault)
		}
	}
	switch fault {
	case faultDrop:
		panic(http.ErrAbortHandler)
	case faultDelay:
		select {
		case <-time.After(50 * time.Millisecond):
		case <-r.Context().Done():
		}
	case faultGateway:
		w.WriteHeader(http.StatusBadGateway)
		return
	case faultGarbage:
		_, _ = io.WriteString(w, "<html>welcome</html>")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if batch {
		_ = json.NewEncoder(w).Encode(replies)
	} else {
		_ = json.NewEncoder(w).Encode(replies[0])
	}
}

// answer asks the node, unless the fault is in what it would say.
func (h *hostile) answer(ctx context.Context, req rpcRequest, fault int) rpcReply {
	reply := rpcReply{Version: "2.0", ID: req.ID}
	params := make([]any, len(req.Params))
	for i, p := range req.Params {
		params[i] = p
	}
	switch {
	case fault == faultChain && req.Method == "eth_chainId":
		reply.Result = json.RawMessage(`"0x1"`)
		return reply
	case fault == faultSwallow && req.Method == "eth_sendRawTransaction":
		reply.Result = json.RawMessage(`"0x` + strings.Repeat("00", 32) + `"`)
		return reply
	case fault == faultStale && req.Method == "eth_getTransactionReceipt":
		reply.Result = json.RawMessage("null")
		return reply
	case fault == faultStale:
		h.age(params)
	}
	reply = askNode(ctx, h.node, req, params)
	if fault == faultReorg && req.Method == "eth_sendRawTransaction" {
		_ = h.net.Reorg(ctx, 1) // before the second block there is nothing to replace
	}
	return reply
}

// age has a request about now be about two blocks ago.
func (h *hostile) age(params []any) {
	var head hexutil.Uint64
	if err := h.node.Call(&head, "eth_blockNumber"); err != nil || head < 3 {
		return
	}
	for i, p := range params {
		if text, ok := p.(json.RawMessage); ok && (string(text) == `"latest"` || string(text) == `"pending"`) {
			params[i] = hexutil.Uint64(head - 2)
		}
	}
}

// TestSoakFundingThroughAHostileNode funds over and over through a node that fails, each
// time with the obvious retry. Whatever was lost, doubled or late: the deposit has grown
// by what was asked for, each time.
func TestSoakFundingThroughAHostileNode(t *testing.T) {
	t.Parallel()
	notInShort(t)
	runs := 8
	switch os.Getenv("PMCTL_SOAK") {
	case "sample":
		runs = 40
	case "whole":
		runs = 500
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := newShell(t, devnet.Config{})
	h, url := newHostile(t, s.net, seed)
	const each = 1000
	retries := 0
	for run := range runs {
		line := fmt.Sprintf("fund --deposit %dwei --yes --timeout 4s --rpc-url %s", each, url)
		if run%2 == 1 {
			line += fmt.Sprintf(" --request-id run-%d", run)
		}
		for attempt := 1; ; attempt++ {
			require.Less(t, attempt, 50, "seed %d, run %d", seed, run)
			code, errs := s.try(line)
			if code == exitDone {
				break
			}
			require.NotEqual(t, exitUsage, code, errs)
			retries++
		}
		h.honesty(true)
		status := s.run(exitDone, "status")
		h.honesty(false)
		require.Equal(t, big.NewInt(int64(each*(run+1))), s.number(status, "deposit"), "seed %d, run %d", seed, run)
	}
	t.Logf("%d runs, %d retries", runs, retries)
}

func (h *hostile) honesty(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.honest = on
}

// try runs a command line that may fail, and returns its exit code and what it said.
func (s *shell) try(line string) (int, string) {
	var errs bytes.Buffer
	code := Main(s.t.Context(), append(strings.Fields(line), "--output", "json"), &Env{
		In: strings.NewReader(""), Out: io.Discard, Err: &errs, Now: time.Now,
		Getenv: func(name string) string { return s.env[name] },
	})
	return code, errs.String()
}
