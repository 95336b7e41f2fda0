package model

import (
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
)

// choices determine a case: each decision takes the next one, and the first alternative, which
// is the sane one, if there are no more.
type choices struct {
	given []byte
	used  int
}

// pick returns a number below n.
func (c *choices) pick(n int) int {
	if c.used >= len(c.given) {
		return 0
	}
	v := int(c.given[c.used])
	c.used++
	return v % n
}

func (c *choices) left() bool { return c.used < len(c.given) }

// delivery is how a request reaches a node, and the answer the command.
type delivery struct {
	lostBefore, lostAfter bool
	killed                bool
	send                  sendFault
	text                  string // of a refusal
}

func (d delivery) describe(n *node, p *parked) string {
	text := ""
	if p.node == "any" {
		text += ", which is " + n.name
	}
	if p.what == "stderr" {
		text += ": " + strings.TrimSpace(string(p.text))
	}
	for _, tx := range p.transactions() {
		text += fmt.Sprintf(" (%s, nonce %d, %s)", short(tx.Hash()), tx.Nonce(), p.command.world.suite.origin.describe(tx))
	}
	if d.send != sendTaken {
		text += ": " + d.send.String()
		if d.text != "" {
			text += " (" + d.text + ")"
		}
	}
	switch {
	case d.lostBefore && d.killed:
		text += "; killed before"
	case d.killed:
		text += "; killed after"
	case d.lostBefore:
		text += "; never arrives"
	case d.lostAfter:
		text += "; the answer is lost"
	}
	return text
}

// transactions are those that are about to be sent.
func (p *parked) transactions() (list []*types.Transaction) {
	for _, req := range p.list {
		if req.Method == "eth_sendRawTransaction" {
			if tx := decodeTransaction(req); tx != nil {
				list = append(list, tx)
			}
		}
	}
	return list
}

// serving is the node that gets a request.
func (w *world) serving(p *parked) *node {
	for _, n := range w.nodes {
		if n.name == p.node {
			return n
		}
	}
	return w.nodes[w.choices.pick(len(w.nodes))]
}

// draw chooses the nodes' faults and the user's wants.
func (w *world) draw() {
	for _, n := range w.nodes {
		switch w.choices.pick(8) {
		case 5:
			n.lag = 1 + w.choices.pick(4)
			w.met["lagging node"]++
			w.say("node %s lags by %d blocks", n.name, n.lag)
		case 6:
			n.ahead = uint64(1 + w.choices.pick(3))
			w.met["pending nonces too high"]++
			w.say("node %s answers pending nonces that are %d too high", n.name, n.ahead)
		case 7:
			n.pruned = prunedIndex + pruning(w.choices.pick(2))
			w.met["pruned node"]++
			w.say("node %s finds no transaction that is in a block (and shows none in blocks: %t)", n.name, n.pruned == prunedAll)
		}
		if w.choices.pick(2) == 1 {
			for how := sendDropped; how <= sendKnownLie; how++ {
				if w.choices.pick(2) == 1 {
					n.sending = append(n.sending, how)
				}
			}
		}
	}
	w.restoring = w.choices.pick(3) == 2
	w.accepts = w.choices.pick(2) == 1
	w.drawWants()
}

// play takes steps for as long as there are choices.
func (w *world) play() {
	const most = 600
	for range most {
		if !w.choices.left() {
			return
		}
		if !w.step() {
			return
		}
	}
}

// step is one decision. It returns false if there is nothing left to do.
func (w *world) step() bool {
	switch c := w.choices.pick(100); {
	case c < 62:
		return w.progress()
	case c < 72:
		if list := w.waiting(); len(list) > 0 {
			w.release(list[w.choices.pick(len(list))])
			return true
		}
	case c < 78:
		w.mine(w.choices.pick)
		return true
	case c < 84:
		if want := w.idle(w.choices.pick); want != nil && len(w.alive()) < maxAlive {
			w.attempt(want)
			return true
		}
	case c < 88:
		return w.killOne()
	case c < 90:
		if list := w.alive(); len(list) > 0 {
			c := list[w.choices.pick(len(list))]
			w.say("%s is interrupted", c.name)
			w.met["interrupt"]++
			c.cancel()
			w.settle(c)
			return true
		}
	case c < 93:
		w.advance(time.Duration(1+w.choices.pick(8)) * time.Second)
		return true
	case c < 94:
		w.gossip()
		return true
	case c < 95:
		if w.choices.pick(2) == 1 {
			w.foreign()
			return true
		}
		w.surge = !w.surge
		w.met["surge"]++
		w.say("gas is dear: %t", w.surge)
		return true
	case c >= 96 && w.restoring:
		return w.store()
	default:
		if len(w.alive()) < maxAlive {
			return w.meddle()
		}
	}
	return w.progress()
}

// maxAlive is how many commands run at a time.
const maxAlive = 4

// release lets an action happen, perhaps with a fault.
func (w *world) release(p *parked) {
	if p.to != nil {
		w.deliver(p, nil, delivery{})
		return
	}
	n := w.serving(p)
	var how delivery
	if w.honest {
		w.deliver(p, n, how)
		return
	}
	if len(p.transactions()) > 0 && len(n.sending) > 0 && w.choices.pick(3) > 0 {
		how.send = n.sending[w.choices.pick(len(n.sending))]
		w.met[how.send.String()]++
		if how.send == sendRefused || how.send == sendRefusedButTaken {
			how.text = refusals[w.choices.pick(len(refusals))]
		}
	}
	switch w.choices.pick(24) {
	case 22:
		how.lostBefore = true
		w.met["lost request"]++
	case 23:
		how.lostAfter = true
		w.met["lost answer"]++
	}
	w.deliver(p, n, how)
}

// killOne kills a command before the action that it was about to take.
func (w *world) killOne() bool {
	var list []*parked
	for _, p := range w.waiting() {
		if p.command.patient { // a time limit would end it as if it were alive
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return w.progress()
	}
	p := list[w.choices.pick(len(list))]
	how := delivery{killed: true, lostBefore: w.choices.pick(2) == 0}
	if p.to != nil {
		how.lostBefore = true
	}
	n := w.nodes[0]
	if p.to == nil {
		n = w.serving(p)
	}
	w.met["kill"]++
	w.deliver(p, n, how)
	return true
}

func (w *world) advance(by time.Duration) {
	w.say("%s pass", by)
	time.Sleep(by)
	w.settle(nil)
}

// progress takes the obvious next step. It returns false when all is done.
func (w *world) progress() bool {
	if list := w.waiting(); len(list) > 0 {
		w.release(list[0])
		return true
	}
	want := w.idle(nil)
	const stuck = 20 // runs may wait for an action of the user
	if len(w.alive()) > 0 && (want == nil || w.idling < stuck || len(w.alive()) >= maxAlive) {
		if w.honest {
			w.gossip()
		}
		w.mine(w.choices.pick)
		w.advance(time.Second)
		w.idling++
		return true
	}
	if want != nil {
		if want.attempts > 0 {
			w.mine(w.choices.pick) // the user retries later
			w.advance(time.Second)
		}
		w.attempt(want)
		return true
	}
	return false
}

// patience is how many times in a row only time may pass before the case counts as stuck.
const patience = 60

// drain finishes everything, on nodes that are good from here on.
func (w *world) drain() {
	w.say("from here on all nodes are good")
	w.honest, w.surge = true, false
	w.choices = &choices{}
	for _, n := range w.nodes {
		n.lag, n.ahead, n.pruned, n.sending = 0, 0, prunedNot, nil
	}
	const most = 4000
	for range most {
		if !w.progress() {
			return
		}
		if w.idling > patience && w.restores == 0 {
			break
		}
		if w.idling > patience { // a store that is not accepted is not an error
			for _, c := range w.alive() {
				w.say("%s is interrupted", c.name)
				c.cancel()
				w.settle(c)
			}
			w.idling = 0
		}
	}
	w.must(fmt.Errorf("stuck: on good nodes something never ends: %v", w.describeAlive()))
}

func (w *world) describeAlive() (list []string) {
	for _, c := range w.alive() {
		list = append(list, c.name+" "+c.line)
	}
	return list
}
