package chain

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pmctl/pmctl/internal/cache"
)

// memory is what one run of the program leaves to the next in a file, so that it need not
// ask twice. Nothing in it is believed: it says what to ask for, and the same request asks
// whether it is right.
type memory struct {
	mu    sync.Mutex
	path  string // "" for no file
	known remembered
}

type remembered struct {
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
	c.memory.open(filepath.Join(folder, fmt.Sprintf("network-%d-%s.json", c.network.ChainID, c.network.Controller)), c.network)
	c.Limits(c.memory.atOnce, c.memory.learnAtOnce)
}

func (m *memory) open(path string, network Network) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.path = path
	text, err := os.ReadFile(path)
	var known remembered
	if err == nil && json.Unmarshal(text, &known) == nil && known.Contracts.Controller == network.Controller {
		m.known = known
	}
}

// recall returns what is known.
func (m *memory) recall() remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known
}

// learn changes what is known, and writes it where change says that it is something else.
func (m *memory) learn(change func(*remembered) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !change(&m.known) || m.path == "" {
		return
	}
	if text, err := json.Marshal(m.known); err == nil {
		_ = cache.Replace(m.path, text) // what cannot be written is only slower
	}
}

// atOnce returns how many requests a node was lately found to take at once; 0 where that is
// not known.
func (m *memory) atOnce(url string) int { return m.recall().Nodes[url].lately() }

func (n nodeMemory) lately() int {
	if age := time.Since(n.Found); age < 0 || age >= nodeMemoryAge {
		return 0
	}
	return max(0, n.AtOnce)
}

func (m *memory) learnAtOnce(url string, most int) {
	m.learn(func(known *remembered) bool {
		if known.Nodes[url].lately() == most {
			return false
		}
		nodes := maps.Clone(known.Nodes)
		if nodes == nil {
			nodes = make(map[string]nodeMemory)
		}
		nodes[url] = nodeMemory{AtOnce: most, Found: time.Now().UTC()}
		known.Nodes = nodes
		return true
	})
}
