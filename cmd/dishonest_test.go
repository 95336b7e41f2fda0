package cmd

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// dishonest stands before a local network's node, and answers some requests as a test says.
type dishonest struct {
	t    *testing.T
	node *rpc.Client
	// says answers a request in the node's place, or returns what ask does: the node's
	// own answer.
	says func(req rpcRequest, ask func() rpcReply) rpcReply
}

// newDishonest returns the URL of a node that lies.
func newDishonest(t *testing.T, network *devnet.Devnet, says func(req rpcRequest, ask func() rpcReply) rpcReply) string {
	t.Helper()
	node, err := rpc.Dial(network.RPCURL())
	require.NoError(t, err)
	t.Cleanup(node.Close)
	server := httptest.NewServer(&dishonest{t: t, node: node, says: says})
	t.Cleanup(server.Close)
	return server.URL
}

func (d *dishonest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
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
		replies[i] = d.says(req, func() rpcReply { return d.ask(r, req) })
	}
	w.Header().Set("Content-Type", "application/json")
	if batch {
		_ = json.NewEncoder(w).Encode(replies)
	} else {
		_ = json.NewEncoder(w).Encode(replies[0])
	}
}

// ask passes a request on to the node.
func (d *dishonest) ask(r *http.Request, req rpcRequest) rpcReply {
	params := make([]any, len(req.Params))
	for i, p := range req.Params {
		params[i] = p
	}
	var result json.RawMessage
	err := d.node.CallContext(r.Context(), &result, req.Method, params...)
	if err == nil {
		return req.answer(string(result))
	}
	reply := req.refuse(err.Error())
	if coded, ok := err.(rpc.Error); ok {
		reply.Error.Code = coded.ErrorCode()
	}
	if data, ok := err.(rpc.DataError); ok {
		reply.Error.Data = data.ErrorData()
	}
	return reply
}

// answer is a result, as JSON.
func (r rpcRequest) answer(result string) rpcReply {
	if result == "" {
		result = "null"
	}
	return rpcReply{Version: "2.0", ID: r.ID, Result: json.RawMessage(result)}
}

// refuse is a node's error.
func (r rpcRequest) refuse(message string) rpcReply {
	return rpcReply{Version: "2.0", ID: r.ID, Error: &rpcError{Code: -32000, Message: message}}
}

// TestAReceiptOfAnotherTransaction: a cache before a node mixes up its answers. A funding that is
// not mined is not done because an equal one was.
func TestAReceiptOfAnotherTransaction(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newShell(t, devnet.Config{})
	kept := make(map[string]rpcReply)
	cache := newDishonest(t, s.net, func(req rpcRequest, ask func() rpcReply) rpcReply {
		if req.Method != "eth_getTransactionReceipt" && req.Method != "eth_getTransactionByHash" {
			return ask()
		}
		reply, ok := kept[req.Method]
		if !ok {
			reply = ask()
			if string(reply.Result) != "null" {
				kept[req.Method] = reply
			}
		}
		return req.answer(string(reply.Result))
	})
	const line = "fund --deposit 1gwei --yes --request-id "
	first := s.run(exitDone, line+"a --rpc-url "+cache)["transaction_hash"].(string)
	require.NoError(t, s.net.SetAutomine(t.Context(), false))
	said := s.refused(exitNotMined, line+"b --timeout 5s --rpc-url "+cache)
	require.Contains(t, said, "answered eth_getTransactionReceipt in an invalid format: transactionHash is "+first+", not the one that was asked for")
	require.NoError(t, s.net.SetAutomine(t.Context(), true))
	require.NotEqual(t, first, s.run(exitDone, line+"b")["transaction_hash"])
}
