package model

import (
	"cmp"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// world is one case: a chain with three nodes, a store, and running commands. Between two steps
// of the scheduler nothing moves in it.
type world struct {
	suite   *suite
	folder  string
	line    *line
	server  *http.Server
	ledger  *ledger
	nodes   []*node
	choices *choices
	surge   bool // gas is dear
	honest  bool // the nodes have no faults left

	mu      sync.Mutex
	parked  []*parked
	closing bool

	commands int
	running  []*command // those that have not ended, with the dead ones
	history  []*command
	locks    map[string]bool
	wants    []*want
	hashes   []common.Hash // of transactions sent to a node, in order
	idling   int           // how often there was nothing to do since a command ended or a block had transactions
	copies   int           // of the store
	restores int           // how often one was restored
	// acknowledged is how often the user accepted that.
	acknowledged int
	restoring    bool // the store is copied and copies are restored
	accepts      bool // the user accepts that in the end
	owners       map[common.Hash]*want
	steps        []string
	met          map[string]int // how often each kind of thing happened
}

// fault is the model's own failure, or a violation that ends a case at once.
type fault struct{ err error }

func (w *world) must(err error) {
	if err != nil {
		panic(fault{err})
	}
}

// say records a step for the report of a violation.
func (w *world) say(format string, args ...any) {
	w.steps = append(w.steps, w.plain(fmt.Sprintf(format, args...)))
}

// plain removes what differs between runs of the same case.
func (w *world) plain(text string) string {
	text = strings.ReplaceAll(text, w.folder+"/", "")
	return strings.ReplaceAll(text, "."+w.line.name, "")
}

// newWorld opens a world inside a synctest bubble.
func newWorld(s *suite, folder string, c *choices) *world {
	w := &world{suite: s, folder: folder, ledger: s.origin.begin(), choices: c, locks: map[string]bool{}, met: map[string]int{}, owners: map[common.Hash]*want{}}
	// The bubble's clock begins before the chain's.
	time.Sleep(time.Until(time.Unix(int64(w.ledger.tip().header.Time), 0)) + time.Second)
	for _, name := range []string{"a", "b", "c"} {
		w.nodes = append(w.nodes, &node{name: name, ledger: w.ledger, pool: pool{}})
	}
	w.line = s.board.listen(filepath.Base(folder))
	w.server = &http.Server{Handler: w}
	go func() { _ = w.server.Serve(w.line) }()
	return w
}

// close ends running commands, without letting them do anything.
func (w *world) close() {
	w.mu.Lock()
	w.closing = true
	left := w.parked
	w.parked = nil
	w.mu.Unlock()
	for _, p := range left {
		p.resume <- reply{cut: true}
	}
	for _, c := range w.running {
		c.cancel()
		<-c.gone
	}
	_ = w.server.Close()
	w.suite.board.hangUp(w.line)
	synctest.Wait()
}

// park delays an action of a command until the scheduler releases it. It returns false if the
// case has ended.
func (w *world) park(p *parked) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closing {
		return false
	}
	w.parked = append(w.parked, p)
	return true
}

// ServeHTTP implements http.Handler for every node: the host has the command and the node.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	name, by, _ := strings.Cut(r.Host, ".")
	by, _, _ = strings.Cut(by, ".")
	list, batch, err := parseRequests(body)
	c := w.command(by)
	if err != nil || c == nil {
		rw.WriteHeader(http.StatusBadRequest)
		return
	}
	methods := make([]string, 0, len(list))
	for _, req := range list {
		methods = append(methods, req.Method)
	}
	what := methods[0]
	if batch {
		what = fmt.Sprintf("%d reads", len(methods))
	}
	p := &parked{command: c, node: name, what: what, list: list, batch: batch, resume: make(chan reply, 1)}
	if !w.park(p) {
		panic(http.ErrAbortHandler)
	}
	got := <-p.resume
	if got.cut {
		panic(http.ErrAbortHandler)
	}
	rw.Header().Set("Content-Type", "application/json")
	_, _ = rw.Write(got.body)
}

func (w *world) command(name string) *command {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.running {
		if c.name == name {
			return c
		}
	}
	return nil
}

// settle waits until every command waits for the scheduler or for the clock. acting is the
// command that was released.
func (w *world) settle(acting *command) {
	// A step takes time: the store orders intents by when they began, and those of the same
	// time by a random ID.
	time.Sleep(time.Millisecond)
	synctest.Wait()
	if acting != nil {
		acting.findLock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// Actions of several goroutines at the same moment get a fixed order.
	slices.SortStableFunc(w.parked, func(a, b *parked) int {
		return cmp.Or(strings.Compare(a.command.name, b.command.name), strings.Compare(a.node, b.node),
			strings.Compare(a.what, b.what), strings.Compare(a.asked(), b.asked()))
	})
	w.running = slices.DeleteFunc(w.running, func(c *command) bool {
		if !c.over() {
			return false
		}
		w.idling = 0
		if !c.dead {
			c.ended = true
			w.met[fmt.Sprintf("exit code %d", c.code)]++
			w.say("%s ends with exit code %d: %s", c.name, c.code, w.brief(c))
		}
		return true
	})
}

// storeID is random, and does not matter to a case.
var storeID = regexp.MustCompile(`"store_id": "[A-Z0-9]*"`)

func (w *world) brief(c *command) string {
	text := storeID.ReplaceAllString(strings.Join(strings.Fields(c.out.String()), " "), `"store_id": "…"`)
	if c.code != exitDone {
		text = c.message()
	}
	text = w.plain(text)
	const enough = 300
	if len(text) > enough {
		text = text[:enough] + "…"
	}
	return text
}

// waiting are the parked actions of live commands, the oldest first.
func (w *world) waiting() (list []*parked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.parked {
		if !p.command.dead {
			list = append(list, p)
		}
	}
	return list
}

// alive are the commands that run.
func (w *world) alive() (list []*command) {
	for _, c := range w.running {
		if !c.dead {
			list = append(list, c)
		}
	}
	return list
}

func (w *world) take(p *parked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parked = slices.DeleteFunc(w.parked, func(other *parked) bool { return other == p })
}

// alike are the requests that look the same as p, itself included: those of one command, to one
// node, with the same content.
func (w *world) alike(p *parked) (list []*parked) {
	for _, other := range w.waiting() {
		if other == p || p.to == nil && other.command == p.command && other.node == p.node && other.what == p.what && other.asked() == p.asked() {
			list = append(list, other)
		}
	}
	return list
}

// deliver lets an action happen: at a node, with a fault or without. Requests that look the
// same get the same result, since the order of goroutines decides which is which.
func (w *world) deliver(p *parked, n *node, how delivery) {
	if p.command.ended {
		how.killed = false // a request that it gave up, when it was interrupted, outlives it
	}
	w.say("%v%s", p, how.describe(n, p))
	alike := w.alike(p)
	if how.killed {
		alike = []*parked{p}
	}
	for _, p := range alike {
		w.attribute(p)
		var got reply
		switch {
		case p.to == nil && !how.lostBefore:
			got.body = w.perform(p, n, how)
		case p.to != nil && !how.killed:
			p.to.Write(p.text)
		}
		if how.killed {
			p.command.kill() // its action stays parked for ever
			return
		}
		w.take(p)
		got.cut = p.to == nil && (how.lostBefore || how.lostAfter)
		p.resume <- got
	}
	w.settle(p.command)
}

// perform makes a node answer.
func (w *world) perform(p *parked, n *node, how delivery) []byte {
	for _, req := range p.list {
		if req.Method != "eth_sendRawTransaction" {
			continue
		}
		if tx := decodeTransaction(req); tx != nil {
			p.command.sent = append(p.command.sent, sentTransaction{tx, how.send})
			if !slices.Contains(w.hashes, tx.Hash()) {
				w.hashes = append(w.hashes, tx.Hash())
			}
		}
	}
	body, err := n.serve(p.list, p.batch, how.send, how.text)
	w.must(err)
	return body
}

// attribute names the want of each transaction that is sent for the first time, whether it arrives
// or not: the command that signed it sends it first, and another may send it again.
func (w *world) attribute(p *parked) {
	for _, req := range p.list {
		if req.Method != "eth_sendRawTransaction" {
			continue
		}
		tx := decodeTransaction(req)
		if tx == nil {
			continue
		}
		if _, known := w.owners[tx.Hash()]; known {
			continue
		}
		owner := w.ownerOf(p.command)
		// The signer may have ended before it could send.
		if f, ok := w.suite.origin.funding(tx); ok {
			owner = w.wanting(f, owner)
		} else if p.command.want != nil && len(tx.Data()) == 0 {
			owner = w.cancelled(tx)
		}
		w.owners[tx.Hash()] = owner
	}
}

// ownerOf is the want of a command's transactions: its own, or that of the transaction which it
// replaces.
func (w *world) ownerOf(c *command) *want {
	if words := strings.Fields(c.line); c.want == nil && words[0] == "tx" && len(words) > 2 {
		return w.owners[common.HexToHash(words[2])]
	}
	return c.want
}

// cancelled is the want whose transaction is to be replaced by an empty one with its nonce.
func (w *world) cancelled(by *types.Transaction) *want {
	for _, hash := range w.hashes {
		if sent := w.ledger.sent[hash]; sent != nil && hash != by.Hash() && sent.Nonce() == by.Nonce() {
			return w.owners[hash]
		}
	}
	return nil
}

// wanting is the want of a funding: the given one unless that wants something else.
func (w *world) wanting(f funding, likely *want) *want {
	for _, v := range append([]*want{likely}, w.wants...) {
		if v != nil && v.funding() == f {
			return v
		}
	}
	return nil
}

// sentTransaction is a transaction that a command sent to a node.
type sentTransaction struct {
	tx  *types.Transaction
	how sendFault
}

func decodeTransaction(req rpcRequest) *types.Transaction {
	raw, err := param[hexutil.Bytes](req, 0)
	if err != nil {
		return nil
	}
	tx := new(types.Transaction)
	if tx.UnmarshalBinary(raw) != nil {
		return nil
	}
	return tx
}

// mine makes a block. If pools differ, pick chooses whose transaction it includes.
func (w *world) mine(pick func(int) int) {
	header := w.ledger.child(w.ledger.tip().header, uint64(time.Now().Unix()))
	account := w.suite.origin.account.Address
	header.BaseFee = w.baseFee()
	trial := w.ledger.tip().state
	var txs []*types.Transaction
	spent := trial.GetBalance(account).ToBig()
	for nonce := trial.GetNonce(account); ; nonce++ {
		list := candidates(w.nodes, nonce, header)
		list = slices.DeleteFunc(list, func(tx *types.Transaction) bool { return tx.Cost().Cmp(spent) > 0 })
		if len(list) == 0 {
			break
		}
		tx := list[pick(len(list))]
		spent.Sub(spent, tx.Cost())
		txs = append(txs, tx)
		w.idling = 0
	}
	w.must(w.ledger.mine(header, txs, w.suite.origin.startRound(header)))
	for _, n := range w.nodes {
		n.pool.drop(w.ledger.tip().state.GetNonce(account))
	}
	names := make([]string, 0, len(txs))
	for _, tx := range txs {
		names = append(names, fmt.Sprintf("%s (nonce %d, %s)", short(tx.Hash()), tx.Nonce(), w.suite.origin.describe(tx)))
	}
	if len(txs) == 0 {
		w.say("an empty block")
		return
	}
	w.say("block %v: %s", header.Number, strings.Join(names, ", "))
}

// baseFee is the lowest price of blocks now.
func (w *world) baseFee() *big.Int {
	fee := w.suite.origin.head.BaseFee
	if w.surge {
		const factor = 30
		fee = new(big.Int).Mul(fee, big.NewInt(factor))
	}
	return fee
}

// gossip sends every node's transactions to the others.
func (w *world) gossip() {
	for _, from := range w.nodes {
		for _, tx := range from.pool {
			for _, to := range w.nodes {
				if to.pool.find(tx.Hash()) == nil {
					_ = to.pool.put(tx)
				}
			}
		}
	}
	w.say("the nodes gossip")
}

func short(h common.Hash) string { return h.Hex()[:10] }

// run plays a case and returns its violation.
func (w *world) run() (violation error) {
	defer func() {
		if r := recover(); r != nil {
			f, ours := r.(fault)
			if !ours {
				panic(r)
			}
			violation = f.err
		}
	}()
	w.draw()
	w.play()
	w.drain()
	return w.check()
}
