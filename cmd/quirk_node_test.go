package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// behaviour is how a server answers a message to a node. It stands before a real one.
type behaviour func(*visit)

// visit is one message to a server.
type visit struct {
	w        http.ResponseWriter
	r        *http.Request
	node     *rpc.Client
	url      string // of the node
	count    int    // of visits, with this one
	batch    bool
	requests []rpcRequest
}

// serveNode serves a behaviour before the node at a URL.
func serveNode(t *testing.T, node string, behave behaviour) *httptest.Server {
	t.Helper()
	client, err := rpc.Dial(node)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	var count atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		v := &visit{w: w, r: r, node: client, url: node, count: int(count.Add(1)), batch: bytes.HasPrefix(body, []byte("["))}
		if !v.batch {
			body = slices.Concat([]byte("["), body, []byte("]"))
		}
		if err := json.Unmarshal(body, &v.requests); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		behave(v)
	}))
	t.Cleanup(server.Close)
	return server
}

// askNode passes a request on.
func askNode(ctx context.Context, node *rpc.Client, req rpcRequest, params []any) rpcReply {
	reply := rpcReply{Version: "2.0", ID: req.ID}
	err := node.CallContext(ctx, &reply.Result, req.Method, params...)
	if err != nil {
		reply.Error = &rpcError{Code: -32000, Message: err.Error()}
		if coded, ok := err.(rpc.Error); ok {
			reply.Error.Code = coded.ErrorCode()
		}
		if data, ok := err.(rpc.DataError); ok {
			reply.Error.Data = data.ErrorData()
		}
	} else if reply.Result == nil {
		reply.Result = json.RawMessage("null")
	}
	return reply
}

func (v *visit) answer(req rpcRequest) rpcReply {
	params := make([]any, len(req.Params))
	for i, p := range req.Params {
		params[i] = p
	}
	return askNode(v.r.Context(), v.node, req, params)
}

// answers are what the node says to everything.
func (v *visit) answers() []rpcReply {
	replies := make([]rpcReply, len(v.requests))
	for i, req := range v.requests {
		replies[i] = v.answer(req)
	}
	return replies
}

// write sends what may be anything, in the form of what was asked.
func (v *visit) write(replies ...any) {
	v.w.Header().Set("Content-Type", "application/json")
	if v.batch {
		_ = json.NewEncoder(v.w).Encode(replies)
		return
	}
	_ = json.NewEncoder(v.w).Encode(replies[0])
}

func (v *visit) send(replies []rpcReply) {
	all := make([]any, len(replies))
	for i, reply := range replies {
		all[i] = reply
	}
	v.write(all...)
}

// say answers the whole message with a status and a body.
func (v *visit) say(status int, body string, headers ...string) {
	if strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		v.w.Header().Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		v.w.Header().Set(headers[i], headers[i+1])
	}
	v.w.WriteHeader(status)
	_, _ = io.WriteString(v.w, body)
}

// real is a node as it should be.
func real(v *visit) { v.send(v.answers()) }

// says always answers the same.
func says(status int, body string, headers ...string) behaviour {
	return func(v *visit) { v.say(status, body, headers...) }
}

// saysOf is says with the first request's own id in place of ID.
func saysOf(status int, body string, headers ...string) behaviour {
	return func(v *visit) {
		v.say(status, strings.ReplaceAll(body, `"id":ID`, `"id":`+string(v.requests[0].ID)), headers...)
	}
}

// first behaves in another way for a number of visits.
func first(times int, then, after behaviour) behaviour {
	return func(v *visit) {
		if v.count <= times {
			then(v)
			return
		}
		after(v)
	}
}

// until behaves in another way towards messages that ask for a method.
func until(method string, then behaviour) behaviour {
	return func(v *visit) {
		if slices.ContainsFunc(v.requests, func(req rpcRequest) bool { return req.Method == method }) {
			then(v)
			return
		}
		real(v)
	}
}

// above behaves in another way towards more requests at once than a number.
func above(most int, then behaviour) behaviour {
	return func(v *visit) {
		if v.batch && len(v.requests) > most {
			then(v)
			return
		}
		real(v)
	}
}

// instead has some methods answered in another way.
func instead(change func(v *visit, req rpcRequest, reply *rpcReply)) behaviour {
	return func(v *visit) {
		replies := v.answers()
		for i, req := range v.requests {
			change(v, req, &replies[i])
		}
		v.send(replies)
	}
}

// answersError answers some methods with an error.
func answersError(code int, message string, data any, methods ...string) behaviour {
	return instead(func(_ *visit, req rpcRequest, reply *rpcReply) {
		if slices.Contains(methods, req.Method) {
			reply.Result, reply.Error = nil, &rpcError{Code: code, Message: message, Data: data}
		}
	})
}

// resulting changes the text of the results of some methods.
func resulting(change func(string) string, methods ...string) behaviour {
	return instead(func(_ *visit, req rpcRequest, reply *rpcReply) {
		if reply.Error == nil && slices.Contains(methods, req.Method) {
			reply.Result = json.RawMessage(change(string(reply.Result)))
		}
	})
}

// silence says nothing until the client has gone.
func silence(v *visit) { <-v.r.Context().Done() }

// trickle sends the beginning of an answer over and over.
func trickle(v *visit) {
	v.w.Header().Set("Content-Type", "application/json")
	flusher, _ := v.w.(http.Flusher)
	_, _ = io.WriteString(v.w, `[{"jsonrpc":"2.0","id":`)
	flusher.Flush()
	<-v.r.Context().Done()
}

// endless sends a body without an end.
func endless(v *visit) {
	v.w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(v.w, `{"jsonrpc":"2.0","id":1,"result":"0x`)
	zeros := bytes.Repeat([]byte("0"), 1<<20)
	for {
		if _, err := v.w.Write(zeros); err != nil {
			return
		}
	}
}

// hangUp ends the connection within the answer.
func hangUp(v *visit) {
	v.w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(v.w, `{"jsonrpc":`)
	panic(http.ErrAbortHandler)
}

// wantsLength is a server that takes no body of unknown length.
func wantsLength(v *visit) {
	if v.r.ContentLength < 0 {
		v.say(http.StatusLengthRequired, "")
		return
	}
	real(v)
}

// ids are written by another rule than JSON-RPC's.
func ids(change func(json.RawMessage) string) behaviour {
	return instead(func(_ *visit, _ rpcRequest, reply *rpcReply) { reply.ID = json.RawMessage(change(reply.ID)) })
}

// lower has everything said about now be about a block that is so many lower.
func lower(blocks uint64) behaviour {
	return func(v *visit) {
		var head string
		_ = v.node.CallContext(v.r.Context(), &head, "eth_blockNumber")
		var number uint64
		_, _ = fmt.Sscanf(head, "0x%x", &number)
		old := fmt.Sprintf("0x%x", number-min(number, blocks))
		replies := make([]rpcReply, len(v.requests))
		for i, req := range v.requests {
			params := make([]any, len(req.Params))
			for i, p := range req.Params {
				if params[i] = p; string(p) == `"latest"` {
					params[i] = old
				}
			}
			if replies[i] = askNode(v.r.Context(), v.node, req, params); req.Method == "eth_blockNumber" {
				replies[i].Result = json.RawMessage(`"` + old + `"`)
			}
		}
		v.send(replies)
	}
}

// serveSocket serves, over WebSocket, the node at a URL that takes so many requests at once,
// and answers a larger batch with a text.
func serveSocket(t *testing.T, node string, most int, refusal string) string {
	t.Helper()
	var upgrader websocket.Upgrader
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			_, body, err := conn.ReadMessage()
			if err != nil {
				return
			}
			answer := []byte(refusal)
			var batch []json.RawMessage
			if json.Unmarshal(body, &batch) != nil && most > 0 || len(batch) > 0 && len(batch) <= most {
				res, err := http.Post(node, "application/json", bytes.NewReader(body))
				if err != nil {
					return
				}
				answer, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil {
					return
				}
			}
			if conn.WriteMessage(websocket.TextMessage, answer) != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}
