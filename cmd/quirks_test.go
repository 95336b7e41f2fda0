package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// quirk is what nodes do, the command that meets it, and how that ends.
type quirk struct {
	name string
	// nodes are those that the command has, in order. A URL is taken as it is.
	nodes []any
	// run is the command, without what names the nodes.
	run string
	// exit is its exit code, and says part of what it says: on stderr unless that is 0.
	exit int
	says string
}

const (
	status    = "status"
	fundALot  = "fund --deposit 1gwei --yes --timeout 20s"
	simulates = "fund --deposit 1gwei --dry-run"
)

// some are the nodes of a quirk.
func some(nodes ...any) []any { return nodes }

// batchQuirks are those of servers that do not take every batch.
func batchQuirks() []quirk {
	const refused = `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch of more requests than allowed"}}`
	var list []quirk
	for name, most := range map[string]int{"no batch at all": 1, "at most 3": 3, "at most 10": 10} {
		for shape, answer := range map[string]behaviour{
			"one error object":              says(200, refused),
			"a list of one error, no id":    says(200, "["+refused+"]"),
			"HTTP 400, the reason in JSON":  says(400, refused),
			"HTTP 400, a page":              says(400, "<html><title>400 Bad Request</title></html>"),
			"HTTP 413, a page":              says(413, "<html><title>413 Request Entity Too Large</title></html>"),
			"HTTP 500, the reason in JSON":  says(500, refused),
			"HTTP 403 and a word of it":     says(403, `{"error":"batch requests need a paid plan"}`),
			"an error for each request":     answersError(-32600, "Batch of more than 3 requests are not allowed on free tier", nil, everyMethod...),
			"answers to the first few only": func(v *visit) { v.send(v.answers()[:most]) },
		} {
			list = append(list, quirk{name: "batches: " + name + ": " + shape, nodes: some(above(most, answer)), run: status})
		}
	}
	return append(list,
		quirk{name: "batches: at most 3, to a transaction", nodes: some(above(3, says(413, ""))), run: fundALot},
		quirk{name: "batches: answers in another order", nodes: some(func(v *visit) {
			replies := v.answers()
			for i, j := 0, len(replies)-1; i < j; i, j = i+1, j-1 {
				replies[i], replies[j] = replies[j], replies[i]
			}
			v.send(replies)
		}), run: status},
		quirk{name: "batches: ids as text", nodes: some(ids(func(id json.RawMessage) string { return `"` + string(id) + `"` })), run: status},
		quirk{name: "batches: a single answer as a list", nodes: some(func(v *visit) { v.batch = true; real(v) }), run: status},
		quirk{name: "batches: nothing is taken, singly either", nodes: some(says(400, refused)), run: status,
			exit: exitFailed, says: "batch of more requests than allowed"},
	)
}

var everyMethod = []string{"eth_chainId", "eth_getCode", "eth_call", "eth_getBlockByNumber", "eth_getBalance", "eth_gasPrice"}

// socketQuirks are those of servers that take WebSocket, and not every batch.
func socketQuirks(t *testing.T, node string) []quirk {
	const refused = `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch of more requests than allowed"}}`
	var list []quirk
	for name, most := range map[string]int{"no batch at all": 1, "at most 3": 3, "at most 10": 10} {
		for shape, refusal := range map[string]string{
			"one error object":           refused,
			"one error object, no id":    strings.ReplaceAll(refused, `"id":null,`, ""),
			"a list of one error, no id": "[" + refused + "]",
		} {
			url := serveSocket(t, node, most, refusal)
			list = append(list,
				quirk{name: "sockets: " + name + ": " + shape, nodes: some(url), run: status + " --timeout 10s"},
				quirk{name: "sockets: " + name + ": " + shape + ", to a transaction", nodes: some(url), run: fundALot})
		}
	}
	return append(list, quirk{name: "sockets: nothing is taken, singly either", nodes: some(serveSocket(t, node, 0, refused)), run: status + " --timeout 10s",
		exit: exitFailed, says: "batch of more requests than allowed"})
}

// answerQuirks are those of servers that do not answer as a node does. Each is the first
// of two, and alone.
func answerQuirks(closed, noTLS string) []quirk {
	var list []quirk
	for name, c := range map[string]struct {
		node any
		says string
	}{
		"HTTP 401":                        {says(401, `{"error":"invalid key"}`), `refuses access with HTTP status 401 Unauthorized: "invalid key"`},
		"HTTP 402":                        {says(402, ""), "refuses access with HTTP status 402"},
		"HTTP 403 of a firewall":          {says(403, "<html><title>Attention Required!</title></html>"), "403 Forbidden: \"web page: Attention Required!\""},
		"HTTP 404":                        {says(404, "no such project"), `answered with HTTP status 404 Not Found: "no such project"`},
		"HTTP 301":                        {says(301, "", "Location", "https://elsewhere.example/"), "HTTP status 301"},
		"HTTP 500":                        {says(500, ""), "HTTP status 500"},
		"HTTP 502 of a proxy":             {says(502, "<html><title>502 Bad Gateway</title></html>"), "502 Bad Gateway"},
		"HTTP 503":                        {says(503, ""), "HTTP status 503"},
		"a web page with 200":             {says(200, "<html><head><title>Welcome</title></head></html>"), "Welcome"},
		"nothing with 200":                {says(200, ""), "does not speak Ethereum's JSON-RPC"},
		"other JSON":                      {says(200, `{"hello":"world"}`), "does not speak Ethereum's JSON-RPC"},
		"JSON that is cut off":            {says(200, `[{"jsonrpc":"2.0","id":1,"resu`), "truncated"},
		"an empty list":                   {says(200, `[]`), "left requests unanswered"},
		"an answer to another":            {ids(func(json.RawMessage) string { return "99999" }), "answered requests that were not made"},
		"neither result nor error":        {saysOf(200, `{"jsonrpc":"2.0","id":ID}`), "does not speak Ethereum's JSON-RPC"},
		"no access, inside a 200":         {saysOf(200, `{"jsonrpc":"2.0","id":ID,"error":{"code":-32002,"message":"project ID does not have access to arbitrum"}}`), "project ID does not have access"},
		"a rate limit, inside a 200":      {saysOf(200, `{"jsonrpc":"2.0","id":ID,"error":{"code":-32005,"message":"daily request count exceeded"}}`), "daily request count exceeded"},
		"a rate limit without an id":      {says(200, `{"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"slow down"}}`), "slow down"},
		"silence":                         {behaviour(silence), "did not answer in time"},
		"a trickle":                       {behaviour(trickle), "did not answer in time"},
		"a body without end":              {behaviour(endless), "exceeds 32 MiB"},
		"a connection that is lost":       {behaviour(hangUp), "the connection was closed before the answer was complete"},
		"nothing listens":                 {closed, "the connection was refused"},
		"no TLS behind https":             {noTLS, "TLS handshake"},
		"a number that is none":           {resulting(func(string) string { return `"many"` }, "eth_getBalance"), "eth_getBalance in an invalid format"},
		"no balance":                      {resulting(func(string) string { return `null` }, "eth_getBalance"), "eth_getBalance in an invalid format"},
		"no newest block":                 {resulting(func(string) string { return `null` }, "eth_getBlockByNumber"), "no newest block"},
		"a newest block without its time": {resulting(without("timestamp"), "eth_getBlockByNumber"), "timestamp is missing"},
	} {
		alone, ofTwo := "1m", "1m"
		if name == "silence" || name == "a trickle" {
			alone, ofTwo = "500ms", "16s" // of which the second has half: a watched and busy one may take seconds
		}
		list = append(list,
			quirk{name: "first of two: " + name, nodes: some(c.node, behaviour(real)), run: status + " --timeout " + ofTwo},
			quirk{name: "alone: " + name, nodes: some(c.node), run: status + " --timeout " + alone, exit: exitUnreachable, says: c.says})
	}
	list = append(list,
		quirk{name: "two: the second wants to know a body's length", nodes: some(closed, wantsLength), run: status},
		quirk{name: "two: the second serves another chain", nodes: some(closed, resulting(func(string) string { return `"0x1"` }, "eth_chainId")), run: status,
			exit: exitUnreachable, says: "serves chain ID 1,"},
		quirk{name: "two: neither answers", nodes: some(says(401, `{"message":"invalid key"}`), says(200, "<html><title>Sign in</title></html>")), run: status,
			exit: exitUnreachable, says: `none of 2 RPC nodes answered: .*invalid key.*; http.*Sign in`},
		// By then the first node has told of the newest block.
		quirk{name: "two: the first stops within a command, the second is behind it", nodes: some(until("eth_getTransactionCount", says(500, "")), lower(2)), run: fundALot,
			exit: exitUnreachable, says: "has blocks up to [0-9]+, while another node has block [0-9]+"},
		quirk{name: "two: the first stops within a command", nodes: some(until("eth_estimateGas", says(500, "")), real), run: simulates},
		quirk{name: "two: the first stops before a transaction", nodes: some(until("eth_getTransactionCount", says(500, "")), real), run: fundALot},
	)
	return list
}

// without returns a document without a field.
func without(field string) func(string) string {
	return func(document string) string {
		return regexp.MustCompile(`"`+field+`":("[^"]*"|[^,}]*),?`).ReplaceAllString(document, "")
	}
}

// rateQuirks are those of nodes that want to be asked less.
func rateQuirks() []quirk {
	limited := saysOf(200, `{"jsonrpc":"2.0","id":ID,"error":{"code":-32005,"message":"rate limited"}}`)
	return []quirk{
		{name: "limits: HTTP 429 twice", nodes: some(first(2, says(429, ""), real)), run: status},
		{name: "limits: HTTP 429 and Retry-After", nodes: some(first(1, says(429, "", "Retry-After", "1"), real)), run: status},
		{name: "limits: HTTP 503 and Retry-After", nodes: some(first(1, says(503, "", "Retry-After", "1"), real)), run: status},
		{name: "limits: -32005 twice", nodes: some(first(2, limited, real)), run: status},
		{name: "limits: for a part of a batch", nodes: some(first(2, instead(func(v *visit, _ rpcRequest, reply *rpcReply) {
			if v.batch && string(reply.ID) != string(v.requests[0].ID) {
				reply.Result, reply.Error = nil, &rpcError{Code: 429, Message: "Your app has exceeded its compute units per second capacity"}
			}
		}), real)), run: status},
		{name: "limits: HTTP 429 for good", nodes: some(says(429, `{"jsonrpc":"2.0","error":{"code":429,"message":"Monthly capacity limit exceeded. Visit us at KEY."}}`)), run: status + " --timeout 3s",
			exit: exitUnreachable, says: `limits the rate of requests with HTTP status 429 Too Many Requests: "Monthly capacity limit exceeded. Visit us at …."`},
		{name: "limits: -32005 for good", nodes: some(limited), run: status + " --timeout 3s", exit: exitUnreachable, says: `the rate of requests: "rate limited"`},
		{name: "limits: Retry-After beyond --timeout", nodes: some(says(429, "", "Retry-After", "3600")), run: status, exit: exitUnreachable, says: "asks to wait 1h"},
		{name: "limits: of events, not of requests", nodes: some(answersError(-32005, "query returned more than 10000 results", nil, "eth_getLogs")), run: "history",
			exit: exitFailed, says: "query returned more than 10000 results"},
		{name: "limits: the newest block is not there yet", nodes: some(first(1, answersError(-32000, "header not found", nil, "eth_call"), real)), run: status},
	}
}

// behindQuirks are those of several servers behind one URL, some of which lack the newest blocks. They
// answer for the events of such blocks without an error, and without the events.
func behindQuirks() []quirk {
	lacking := func(times int64) behaviour {
		var asked atomic.Int64
		return until("eth_getLogs", func(v *visit) {
			if asked.Add(1) > times {
				real(v)
				return
			}
			replies := v.answers()
			for i, req := range v.requests {
				replies[i].Result = json.RawMessage(map[string]string{"eth_getLogs": "[]", "eth_getBlockByNumber": "null"}[req.Method])
			}
			v.send(replies)
		})
	}
	const always, funded = 1000, `funded +\+1 ETH of deposit`
	return []quirk{
		{name: "behind: all of them", nodes: some(lacking(always)), run: "history",
			exit: exitUnreachable, says: "was asked for events up to block [0-9]+, but does not have that block\nhint: pass another node"},
		{name: "behind: the first ones to be asked", nodes: some(lacking(2)), run: "history", says: funded},
		{name: "behind: those of the first node", nodes: some(lacking(always), behaviour(real)), run: "history", says: funded},
	}
}

// formQuirks are those of what nodes leave out, and how they write.
func formQuirks() []quirk {
	zeros := func(text string) string { return strings.ReplaceAll(text, `"0x`, `"0x00`) }
	receipts := regexp.MustCompile(`"(blockNumber|status|gasUsed|cumulativeGasUsed|transactionIndex|effectiveGasPrice|type|logIndex)":"0x`)
	tip := "eth_maxPriorityFeePerGas"
	return []quirk{
		{name: "forms: no " + tip, nodes: some(answersError(-32601, "the method "+tip+" does not exist", nil, tip)), run: fundALot},
		{name: "forms: null for " + tip, nodes: some(resulting(func(string) string { return "null" }, tip)), run: fundALot},
		{name: "forms: neither " + tip + " nor eth_gasPrice", nodes: some(answersError(-32601, "not supported", nil, tip, "eth_gasPrice")), run: fundALot},
		{name: "forms: neither " + tip + " nor eth_gasPrice, to a look", nodes: some(answersError(-32601, "not supported", nil, tip, "eth_gasPrice")), run: status},
		{name: "forms: none of " + tip + ", eth_gasPrice and eth_feeHistory", nodes: some(answersError(-32601, "not supported", nil, tip, "eth_gasPrice", "eth_feeHistory")), run: "unlock --dry-run",
			exit: exitFailed, says: "not supported"},
		{name: "forms: no state override", nodes: some(instead(func(_ *visit, req rpcRequest, reply *rpcReply) {
			if req.Method == "eth_estimateGas" && len(req.Params) > 2 {
				reply.Result, reply.Error = nil, &rpcError{Code: -32602, Message: "too many arguments, want at most 2"}
			}
		})), run: "fund --deposit 1000000eth --dry-run", exit: exitFunds, says: "insufficient funds"},
		{name: "forms: an error of null beside a result", nodes: some(func(v *visit) {
			var replies []any
			for _, reply := range v.answers() {
				if reply.Error != nil {
					replies = append(replies, reply)
					continue
				}
				replies = append(replies, map[string]any{"jsonrpc": "2.0", "id": reply.ID, "result": reply.Result, "error": nil})
			}
			v.write(replies...)
		}), run: fundALot},
		{name: "forms: numbers with leading zeros", nodes: some(resulting(zeros, "eth_chainId", "eth_getBalance", "eth_gasPrice", tip, "eth_getTransactionCount", "eth_estimateGas")), run: fundALot},
		{name: "forms: a nonce that no account has", nodes: some(resulting(func(string) string { return `"0xffffffffffffffff"` }, "eth_getTransactionCount")), run: fundALot,
			exit: exitUnreachable, says: "answered eth_getTransactionCount in an invalid format: \"0xffffffffffffffff\" is more than an account's nonce can be"},
		{name: "forms: a tip that no account can pay, which counts as none", nodes: some(resulting(func(string) string { return `"0xf` + strings.Repeat("f", 63) + `"` }, tip)), run: fundALot},
		{name: "forms: a base fee that no account can pay", nodes: some(resulting(func(text string) string {
			return regexp.MustCompile(`"baseFeePerGas":"[^"]*"`).ReplaceAllString(text, `"baseFeePerGas":"0xf`+strings.Repeat("f", 63)+`"`)
		}, "eth_getBlockByNumber")), run: fundALot,
			exit: exitUnreachable, says: "baseFeePerGas: \"0xfffffffffffffffffffffffffffffffffffff is more than a price of gas can be"},
		{name: "forms: less gas than any transaction uses", nodes: some(resulting(func(string) string { return `"0x5207"` }, "eth_estimateGas")), run: fundALot,
			exit: exitUnreachable, says: "answered eth_estimateGas in an invalid format: \"0x5207\" is less than a transaction's gas can be"},
		{name: "forms: more gas than any block has", nodes: some(resulting(func(string) string { return `"0xf000000000000000"` }, "eth_estimateGas")), run: fundALot,
			exit: exitUnreachable, says: "answered eth_estimateGas in an invalid format: \"0xf000000000000000\" is more than a transaction's gas can be"},
		{name: "forms: receipts with leading zeros", nodes: some(resulting(func(text string) string {
			return receipts.ReplaceAllString(text, `"$1":"0x00`)
		}, "eth_getTransactionReceipt", "eth_getBlockByNumber")), run: fundALot},
		{name: "forms: a chain ID in decimal", nodes: some(resulting(func(string) string { return `"1337"` }, "eth_chainId")), run: status},
		{name: "forms: a chain ID as a number", nodes: some(resulting(func(string) string { return `1337` }, "eth_chainId")), run: status},
		{name: "forms: an error that is a text", nodes: some(saysOf(200, `{"jsonrpc":"2.0","id":ID,"error":"the node is being updated"}`)), run: status,
			exit: exitFailed, says: "the node is being updated"},
		{name: "forms: a receipt without its status", nodes: some(resulting(without("status"), "eth_getTransactionReceipt")), run: "fund --deposit 3gwei --yes --timeout 5s",
			exit: exitNotMined, says: "status is missing"},
		{name: "gas: an estimate that is far too low", nodes: some(resulting(func(string) string { return `"0x7530"` }, "eth_estimateGas")), run: "fund --deposit 4gwei --yes --timeout 20s",
			exit: exitFailed, says: "out of gas: it used 3[56][0-9]{3} of its gas limit of 36000"},
		{name: "forms: a key in the node's words", nodes: some(saysOf(200, `{"jsonrpc":"2.0","id":ID,"error":{"code":-32600,"message":"no plan for KEY, see /KEY/plans"}}`)), run: status,
			exit: exitFailed, says: "no plan for …, see /…/plans"},
	}
}

// revertQuirks are the ways in which nodes tell why a contract refuses.
func revertQuirks() []quirk {
	const data = "0x08c379a00000000000000000000000000000000000000000000000000000000000000020" +
		"0000000000000000000000000000000000000000000000000000000000000010" +
		"73797374656d2069732070617573656400000000000000000000000000000000"
	var list []quirk
	for name, said := range map[string]rpcError{
		"data":                       {3, "execution reverted: system is paused", data},
		"data, another code":         {-32000, "execution reverted", data},
		"data.data":                  {-32603, "Internal JSON-RPC error.", map[string]any{"code": 3, "message": "execution reverted", "data": data}},
		"data.result":                {-32000, "VM Exception while processing transaction: revert", map[string]any{"hash": "0x01", "result": data}},
		"data by transaction":        {-32000, "VM Exception while processing transaction: revert", map[string]any{"0x01": map[string]any{"error": "revert", "return": data}, "stack": "Error"}},
		"Reverted and data":          {-32015, "VM execution error.", "Reverted " + data},
		"the message only":           {-32000, "execution reverted: system is paused", nil},
		"the message and an s":       {3, "execution reverted: system is paused", "0x"},
		"code -32015, message":       {-32015, "VM execution error: revert: system is paused", nil},
		"VM Exception, reason":       {-32603, "Error: VM Exception while processing transaction: reverted with reason string 'system is paused'", nil},
		"VM Exception, revert":       {-32000, "VM Exception while processing transaction: revert system is paused", nil},
		"the data in the message":    {-32000, "execution reverted: " + data, nil},
		"an error within the answer": {-32000, "err: execution reverted: system is paused (supplied gas 10000000)", nil},
	} {
		list = append(list, quirk{name: "reverts: " + name, nodes: some(answersError(said.Code, said.Message, said.Data, "eth_estimateGas")), run: simulates,
			exit: exitFailed, says: `the contract refuses: system is paused\nhint: the network's owners`})
	}
	return list
}

// TestNodesAsTheyAre has commands meet what nodes do.
func TestNodesAsTheyAre(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	closed, noTLS := "http://127.0.0.1:1", strings.Replace(s.net.RPCURL(), "http:", "https:", 1)
	for _, q := range [][]quirk{batchQuirks(), socketQuirks(t, s.net.RPCURL()), answerQuirks(closed, noTLS), rateQuirks(), behindQuirks(), formQuirks(), revertQuirks()} {
		for i, q := range q {
			if testing.Short() && i%4 != 0 {
				continue // they take the same ways through the code
			}
			t.Run(q.name, func(t *testing.T) {
				if !strings.Contains(q.run, "--yes") { // those lock the account
					t.Parallel()
				}
				q.test(t, s)
			})
		}
	}
}

// TestArbitrumNodesAsTheyAre has them meet what Arbitrum's nodes do.
func TestArbitrumNodesAsTheyAre(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1, Arbitrum: true})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	url := s.net.Recipients()[0].State().URL
	blind := resulting(without("l1BlockNumber"), "eth_getBlockByNumber")
	for _, run := range []string{status, "pay " + url + " --value 1gwei", "doctor " + url, fundALot, "history", "runway"} {
		q := quirk{name: "Arbitrum: no l1BlockNumber: " + run, nodes: some(blind), run: run, exit: exitUnreachable, says: "the node at http://127.0.0.1:[0-9]+/… answered eth_getBlockByNumber in an invalid format: l1BlockNumber is missing"}
		t.Run(strings.Fields(run)[0], func(t *testing.T) { q.test(t, s) })
	}
	t.Run("params", func(t *testing.T) {
		quirk{nodes: some(blind), run: "params fetch " + url, says: "not checked on the chain: the node at .* l1BlockNumber is missing"}.test(t, s)
	})
	t.Run("gas", func(t *testing.T) {
		quirk{nodes: some(resulting(func(string) string { return `"0x186a0"` }, "eth_estimateGas")), run: simulates, says: "gas limit +200000"}.test(t, s)
	})
	t.Run("another has it", func(t *testing.T) {
		quirk{nodes: some(blind, behaviour(real)), run: "pay " + url + " --value 1gwei"}.test(t, s)
	})
}

// test runs the command with nodes that behave so.
func (q quirk) test(t *testing.T, s *shell) {
	home := t.TempDir()
	var urls []string
	for _, n := range q.nodes {
		url, ok := n.(string)
		if !ok {
			behave, ok := n.(behaviour)
			if !ok {
				behave = n.(func(*visit))
			}
			url = serveNode(t, s.net.RPCURL(), withKey(behave)).URL + "/v2/" + secretKey
		}
		urls = append(urls, url)
	}
	env := func(name string) string {
		switch name {
		case "XDG_CONFIG_HOME", "XDG_CACHE_HOME":
			return filepath.Join(home, name)
		case "PMCTL_NETWORK":
			return ""
		}
		return s.env[name]
	}
	config, err := json.Marshal(urls)
	require.NoError(t, err)
	folder := filepath.Join(env("XDG_CONFIG_HOME"), "pmctl")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "config.toml"), fmt.Appendf(nil, "rpc_urls = %s\n", config), 0o600))
	line := append(strings.Fields(q.run), "--controller", s.net.Controller().Hex(), "--chain-id", s.net.ChainID().String())
	var out, errs bytes.Buffer
	got := Main(t.Context(), line, &Env{In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now, Getenv: env, Home: home})
	said := out.String() + errs.String()
	require.Equal(t, q.exit, got, said)
	require.Regexp(t, q.says, said)
	require.NotContains(t, said, secretKey)
}

// secretKey is in the URLs of the nodes, and no place that people see.
const secretKey = "c0ffee-verysecretkey"

// withKey has a behaviour know the key, in the place of KEY in what it says.
func withKey(behave behaviour) behaviour {
	return func(v *visit) {
		v.w = keyed{v.w}
		behave(v)
	}
}

type keyed struct{ http.ResponseWriter }

func (k keyed) Write(text []byte) (int, error) {
	if _, err := k.ResponseWriter.Write(bytes.ReplaceAll(text, []byte("KEY"), []byte(secretKey))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Flush implements http.Flusher.
func (k keyed) Flush() { k.ResponseWriter.(http.Flusher).Flush() }
