package chain

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/pmctl/pmctl/internal/cache"
)

// memory is what one run of the program leaves to the next, so that it need not ask
// twice. Nothing in it is believed: it says what to ask for, and the same request asks
// whether it is right.
type memory struct {
	Contracts Contracts `json:"contracts"`
	// Round is the last initialized round.
	Round uint64 `json:"round,omitempty"`
	// Nodes are what is known of nodes, by their URLs without what is secret in them.
	Nodes map[string]nodeMemory `json:"nodes,omitempty"`
}

// nodeMemory is what a node takes.
type nodeMemory struct {
	// AtOnce is how many requests it takes in one message, Found when that was found out:
	// after a day it is tried anew.
	AtOnce int       `json:"at_once"`
	Found  time.Time `json:"found"`
}

const nodeMemoryAge = 24 * time.Hour

// RememberIn has the client keep the addresses of the network's contracts and the round
// in a file of the folder, and start from those that are there. It may be called once,
// before anything is asked. What cannot be read or written is only slower.
func (c *Client) RememberIn(folder string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.memoryAt = filepath.Join(folder, fmt.Sprintf("network-%d-%s.json", c.network.ChainID, c.network.Controller))
	text, err := os.ReadFile(c.memoryAt)
	if err != nil {
		return
	}
	var known memory
	if json.Unmarshal(text, &known) == nil && known.Contracts.Controller == c.network.Controller {
		c.known = known
	}
	for _, n := range c.nodes.all {
		its := c.known.Nodes[n.shown]
		if age := time.Since(its.Found); its.AtOnce > 0 && age >= 0 && age < nodeMemoryAge {
			n.setAtOnce(its.AtOnce)
		}
	}
}

// rememberNodes keeps what nodes take, where that is less than it was.
func (c *Client) rememberNodes() {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := false
	for _, n := range c.nodes.all {
		most := n.limit()
		if its := c.known.Nodes[n.shown]; most == 0 || its.AtOnce == most {
			continue
		}
		nodes := maps.Clone(c.known.Nodes)
		if nodes == nil {
			nodes = make(map[string]nodeMemory)
		}
		nodes[n.shown] = nodeMemory{AtOnce: most, Found: time.Now().UTC()}
		c.known.Nodes, changed = nodes, true
	}
	if changed {
		c.remember()
	}
}

// recall returns the contracts as they must be, or else as they were before.
func (c *Client) recall() (Contracts, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.expected != (Contracts{}) {
		return c.expected, true
	}
	return c.known.Contracts, c.known.Contracts != Contracts{}
}

// remember writes what is known. The caller holds the lock.
func (c *Client) remember() {
	if c.memoryAt == "" {
		return
	}
	if text, err := json.Marshal(c.known); err == nil {
		_ = cache.Replace(c.memoryAt, text) // what cannot be written is only slower
	}
}

// rememberedRound returns the last initialized round as it was before, 0 when it is not
// known.
func (c *Client) rememberedRound() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known.Round
}

// learnRound keeps the last initialized round.
func (c *Client) learnRound(round uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known.Round != round {
		c.known.Round = round
		c.remember()
	}
}
