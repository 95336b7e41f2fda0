package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/cache"
	"github.com/pmctl/pmctl/internal/hint"
)

// Cache is a file with the events read from the chain. It can be deleted at any time.
type Cache struct {
	path string
	of   identity
}

// identity identifies the sender and the contract of a file.
type identity struct {
	Version int            `json:"version"`
	ChainID uint64         `json:"chain_id"`
	Broker  common.Address `json:"ticket_broker"`
	Sender  common.Address `json:"sender"`
}

// cached is the content of the file, which begins with its SHA-256 in hex and a newline.
type cached struct {
	identity
	From     uint64      `json:"from"`
	To       uint64      `json:"to"`
	LastHash common.Hash `json:"last_hash"` // of block To-1
	Logs     []types.Log `json:"logs"`
}

// cacheVersion is the file's format. A file of another version is ignored: those before 3 may lack events.
const cacheVersion = 3

// NewCache returns the cache of a sender's events in a folder, which may not exist yet.
func NewCache(folder string, chainID uint64, broker, sender common.Address) *Cache {
	return &Cache{
		path: filepath.Join(folder, fmt.Sprintf("history-%d-%s.json", chainID, sender.Hex())),
		of:   identity{cacheVersion, chainID, broker, sender},
	}
}

// load returns the file's events and the hash of their last block; nil if there is no valid file.
func (c *Cache) load() (*Scan, common.Hash) {
	data, err := os.ReadFile(c.path)
	if err != nil {
		return nil, common.Hash{}
	}
	sum, body, _ := bytes.Cut(data, []byte("\n"))
	var file cached
	if string(sum) != checksum(body) || json.Unmarshal(body, &file) != nil || file.identity != c.of {
		return nil, common.Hash{}
	}
	return &Scan{From: file.From, To: file.To, Logs: file.Logs}, file.LastHash
}

// store replaces the file atomically.
func (c *Cache) store(scan *Scan, last common.Hash) error {
	body, err := json.Marshal(cached{c.of, scan.From, scan.To, last, scan.Logs})
	if err == nil {
		err = cache.Replace(c.path, append([]byte(checksum(body)+"\n"), body...))
	}
	if err != nil {
		return hint.With(fmt.Errorf("save the events in %s: %w", c.path, err), "set XDG_CACHE_HOME to a writable folder, or pass --no-cache")
	}
	return nil
}

func checksum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
