package chain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// request is a JSON-RPC request as a proxy sees it.
type request struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
	// left is closed when the client no longer waits.
	left <-chan struct{}
}

// answer is a proxy's answer instead of the node's.
type answer struct {
	Result any        `json:"result,omitempty"`
	Error  *nodeError `json:"error,omitempty"`
}

type nodeError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// errAway makes a proxy answer like a server whose node is down.
var errAway = errors.New("away")

// proxy is in front of the network's node. It sends the answer of instead, or the node's if
// that is nil. An error of instead applies to the whole request.
func proxy(t *testing.T, d *devnet.Devnet, instead func(request) (*answer, error)) string {
	t.Helper()
	node, err := rpc.Dial(d.RPCURL())
	require.NoError(t, err)
	t.Cleanup(node.Close)
	type reply struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		answer
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		batch := bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
		if !batch {
			body = append(append([]byte("["), body...), ']')
		}
		var requests []request
		if err := json.Unmarshal(body, &requests); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var replies []reply
		for _, req := range requests {
			req.left = r.Context().Done()
			said, err := instead(req)
			if err != nil {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			if said == nil {
				said = ask(r.Context(), node, req)
			}
			replies = append(replies, reply{"2.0", req.ID, *said})
		}
		w.Header().Set("Content-Type", "application/json")
		if batch {
			_ = json.NewEncoder(w).Encode(replies)
		} else {
			_ = json.NewEncoder(w).Encode(replies[0])
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// ask forwards a request.
func ask(ctx context.Context, node *rpc.Client, req request) *answer {
	params := make([]any, len(req.Params))
	for i, p := range req.Params {
		params[i] = p
	}
	var result json.RawMessage
	err := node.CallContext(ctx, &result, req.Method, params...)
	if err == nil {
		return &answer{Result: result}
	}
	said := &nodeError{Code: -32000, Message: err.Error()}
	var coded rpc.Error
	if errors.As(err, &coded) {
		said.Code = coded.ErrorCode()
	}
	var data rpc.DataError
	if errors.As(err, &data) {
		said.Data = data.ErrorData()
	}
	return &answer{Error: said}
}
