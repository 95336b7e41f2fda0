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

// memory is a file in which one run leaves facts for the next, to save requests. None of them
// is trusted: they decide what to ask for, and the same request verifies them.
type memory struct {
	mu    sync.Mutex
	path  string // "" for no file
	known remembered
}

type remembered struct {
	Contracts Contracts `json:"contracts"`
	// Round is the last initialized round.
	Round uint64 `json:"round,omitempty"`
	// Nodes are facts about nodes, by their URLs without secrets.
	Nodes map[string]nodeMemory `json:"nodes,omitempty"`
}

// nodeMemory is a node's limit.
type nodeMemory struct {
	// AtOnce is how many requests it accepts in one message, as of Found. It expires after a day.
	AtOnce int       `json:"at_once"`
	Found  time.Time `json:"found"`
}

const nodeMemoryAge = 24 * time.Hour

// RememberIn makes the client store the addresses of the network's contracts and the round in a
// file of the folder, and start with those in it. Call it once at most, before the first
// request. Errors of the file only cost time.
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

// recall returns the stored facts.
func (m *memory) recall() remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known
}

// learn changes the stored facts, and writes them if change reports a difference.
func (m *memory) learn(change func(*remembered) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !change(&m.known) || m.path == "" {
		return
	}
	if text, err := json.Marshal(m.known); err == nil {
		_ = cache.Replace(m.path, text) // a failed write only costs time
	}
}

// atOnce returns how many requests a node accepted at once within the last day; 0 if that is
// unknown.
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
