package model

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
)

// want is one thing that the user wants done, once: a command that is repeated unchanged until
// pmctl reports the result.
type want struct {
	name      string
	line      string
	requestID string
	// deposit and reserve are what it adds to the broker's, an exit at its end.
	deposit, reserve int64
	exit             bool
	// stubborn makes the user run the command once more after pmctl reported that nothing of it
	// was done.
	stubborn bool

	current  *command
	told     ending // the result that another command has reported
	attempts int
	end      ending
}

type ending int

const (
	unsettled ending = iota
	done             // pmctl reported it
	notDone          // pmctl reported that nothing of it was done
	gaveUp           // pmctl does not know, or names what to do first
)

// maxAttempts is how often the user tries, on faulty nodes and again on good ones.
const maxAttempts = 8

// drawWants chooses what the user wants.
func (w *world) drawWants() {
	for i := range 1 + w.choices.pick(4) {
		v := &want{name: fmt.Sprintf("want%d", i), deposit: int64(1000 * (i + 1)), reserve: int64(7 * w.choices.pick(2))}
		if i > 0 && !w.restoring && w.choices.pick(4) == 3 { // an older copy confuses the two
			v.deposit, v.reserve = w.wants[i-1].deposit, w.wants[i-1].reserve // the same again
		}
		if w.choices.pick(2) == 1 {
			v.requestID = fmt.Sprintf("id-%d", i)
		}
		v.stubborn = w.choices.pick(2) == 1
		v.line = fmt.Sprintf("fund --yes --deposit=%dwei --reserve=%dwei", v.deposit, v.reserve)
		if w.choices.pick(4) == 3 {
			v.line += " --confirmations=3"
		}
		if v.requestID != "" {
			v.line += " --request-id=" + v.requestID
		}
		w.wants = append(w.wants, v)
	}
	if w.choices.pick(6) == 5 {
		v := &want{name: "exit", exit: true, stubborn: w.choices.pick(2) == 1}
		v.line = "exit --yes --interval=12s"
		if w.choices.pick(2) == 1 {
			v.deposit = 13
			v.line += " --keep-deposit=13wei"
		}
		w.wants = append(w.wants, v)
	}
	for _, v := range w.wants {
		w.say("%s: %s", v.name, v.line)
	}
}

// judge reads the results of wants whose commands have ended.
func (w *world) judge() {
	w.listen()
	for _, v := range w.wants {
		c := v.current
		if c == nil || !c.ended {
			continue
		}
		v.current = nil
		limit := maxAttempts
		if w.honest {
			limit = 2 * maxAttempts
		}
		switch {
		case v.told != unsettled && (c.dead || c.code != exitDone):
			v.end = v.told
		case !c.dead && c.code == exitDone:
			v.end = done
			w.met["done"]++
			if v.exit {
				w.met["exit done"]++
			}
		case c.dead || !c.claims():
			switch {
			case w.honest && c.failure() == "restored" && (!w.accepts || v.attempts >= limit):
				v.end = gaveUp // the user does not accept that the store may lack records
			case w.honest && c.failure() == "restored":
				w.acknowledge()
			case v.attempts < limit:
			case w.honest && !w.restored():
				w.must(fmt.Errorf("stuck: %s (%s) never ends on good nodes: exit code %d, %s", v.name, v.line, c.code, c.message()))
			case w.honest:
				v.end = gaveUp
			}
		case !v.stubborn || v.attempts >= limit:
			v.end = notDone
			w.met["not done"]++
		default:
			v.stubborn = w.honest // once among bad nodes, without end among good ones
		}
	}
}

// listen applies what tx wait, bump and cancel report about a want.
func (w *world) listen() {
	for _, c := range w.history {
		if !c.ended || c.dead || c.heard || c.want != nil || c.code != exitDone || !strings.HasPrefix(c.line, "tx ") {
			continue
		}
		c.heard = true
		r, err := c.result()
		w.must(err)
		v := w.owners[r.Hash]
		if v == nil || v.exit && (r.Cancelled || !w.last(v, r.Hash)) {
			continue
		}
		v.told = done
		if r.Cancelled {
			v.told = notDone
		}
		if v.current == nil && v.end == unsettled {
			v.end = v.told
		}
	}
}

// last reports whether a transaction is the step that ends an exit: it adds again what is kept.
func (w *world) last(exit *want, hash common.Hash) bool {
	f, ok := w.suite.origin.funding(w.ledger.sent[hash])
	return ok && f == exit.funding()
}

// claims reports whether a failed command says that nothing was done, or that its transaction
// will never be mined.
func (c *command) claims() bool {
	switch c.code {
	case exitOpen, exitUnreachable, exitInterrupted:
		return false
	}
	// A refusal is one node's, and the other errors name what must be done first.
	return !slices.Contains([]string{"refused", "pending", "restored", "unlocking"}, c.failure())
}

// idle is a want that waits for its next attempt, by default the one with the fewest; nil if
// there is none.
func (w *world) idle(pick func(int) int) *want {
	w.judge()
	var list []*want
	for _, v := range w.wants {
		if v.end == unsettled && v.current == nil && (w.honest || v.attempts < maxAttempts) && !w.asked(v) {
			list = append(list, v)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if pick == nil {
		return slices.MinFunc(list, func(a, b *want) int { return a.attempts - b.attempts })
	}
	return list[pick(len(list))]
}

// twin reports whether the same is wanted twice.
func (w *world) twin(v *want) bool {
	return slices.ContainsFunc(w.wants, func(other *want) bool { return other != v && other.funding() == v.funding() })
}

// asked reports whether another command is about to report on a want without an ID.
func (w *world) asked(v *want) bool {
	return v.requestID == "" && slices.ContainsFunc(w.alive(), func(c *command) bool { return c.want == nil && w.ownerOf(c) == v })
}

// attempt runs the command of a want, once more.
func (w *world) attempt(v *want) {
	v.attempts++
	v.current = w.launch(v.line)
	v.current.want = v
}

// launch runs a command that asks one of the nodes, a balancer, or all of them in turn.
func (w *world) launch(line string) *command {
	route := []string{"any", "all", "a", "b", "c"}[w.choices.pick(5)]
	patient := w.honest || w.choices.pick(4) > 0
	for _, flag := range []string{"with-pending", "replace-unknown", "cancel-unlock"} {
		if w.suite.knows(line, flag) && (w.honest || w.choices.pick(3) > 0) {
			line += " --" + flag
		}
	}
	w.say("run%d asks %s: %s", w.commands+1, route, line)
	return w.start(line, route, patient)
}

// knows reports whether the command of a line has a flag.
func (s *suite) knows(line, flag string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, _, err := s.tree.Find(strings.Fields(line))
	return err == nil && found.Flags().Lookup(flag) != nil
}

// meddle runs another command on a transaction, from another terminal.
func (w *world) meddle() bool {
	if len(w.hashes) == 0 {
		return w.progress()
	}
	verb := []string{"bump", "cancel", "wait"}[w.choices.pick(3)]
	hash := w.hashes[len(w.hashes)-1-w.choices.pick(len(w.hashes))]
	// Without a request ID a repetition looks like a second want while another command may
	// report the first one: the user runs one of the two at a time.
	if v := w.owners[hash]; v != nil && v.requestID == "" && (w.twin(v) || v.current != nil && v.current.lock == "") {
		return w.progress()
	}
	line := "tx " + verb + " " + hash.Hex()
	if verb != "wait" {
		line += " --yes"
	}
	w.met[verb]++
	w.launch(line)
	return true
}

// failed is the document of a command that failed.
func (c *command) failed() (e struct{ Message, Code string }) {
	text := c.errs.String()
	if at := strings.LastIndex(text, `{"kind":"pmctl.error"`); at >= 0 {
		document := struct{ Error any }{&e}
		_ = json.Unmarshal([]byte(text[at:]), &document)
	}
	return e
}

// failure is the code of its error.
func (c *command) failure() string { return c.failed().Code }

// message is its error message.
func (c *command) message() string {
	if e := c.failed(); e.Code != "" {
		return e.Code + ": " + e.Message
	}
	return strings.Join(strings.Fields(c.errs.String()), " ")
}

// transacted is the result of a command that sends a transaction.
type transacted struct {
	Hash      common.Hash `json:"transaction_hash"`
	Mined     bool
	Cancelled bool
	Steps     []struct {
		Step        string
		Transaction transacted
	}
}

func (c *command) result() (r transacted, err error) {
	document := struct{ Data *transacted }{&r}
	return r, json.Unmarshal(c.out.Bytes(), &document)
}

// funding is what a transaction adds to deposit and reserve.
type funding struct{ deposit, reserve int64 }

func fundingOf(deposit, reserve *big.Int) funding { return funding{deposit.Int64(), reserve.Int64()} }

// foreign sends a transaction from another wallet with the account's key, past pmctl's journal.
func (w *world) foreign() {
	account := w.suite.origin.account
	n := w.nodes[w.choices.pick(len(w.nodes))]
	const dear = 100
	price := new(big.Int).Mul(w.ledger.tip().header.BaseFee, big.NewInt(dear))
	to, value := account.Address, new(big.Int) // as a cancellation does
	if w.choices.pick(2) == 1 {
		to, value = common.Address{1}, big.NewInt(1)
	}
	tx, err := types.SignNewTx(account.Key, types.LatestSigner(w.ledger.rules), &types.DynamicFeeTx{
		ChainID: w.ledger.rules.ChainID, Nonce: w.ledger.tip().state.GetNonce(account.Address),
		GasTipCap: big.NewInt(tip), GasFeeCap: price, Gas: 2 * params.TxGas, To: &to, Value: value,
	})
	w.must(err)
	n.pool[tx.Nonce()] = tx
	w.met["another wallet"]++
	w.say("another wallet sends %s (nonce %d) to %s", short(tx.Hash()), tx.Nonce(), n.name)
}
