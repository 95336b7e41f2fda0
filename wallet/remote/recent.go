package remote

import (
	"bytes"
	"context"
	"sync"

	"github.com/pmctl/pmctl/wallet/signer"
)

// maxRecent bounds how many values are remembered, twice.
const maxRecent = 1 << 13

// recent remembers what was put last. Its zero value is ready for use.
type recent[K comparable, V any] struct {
	mu           sync.Mutex
	newer, older map[K]V
}

func (r *recent[K, V]) get(key K) (value V, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value, ok = r.newer[key]; !ok {
		value, ok = r.older[key]
	}
	return value, ok
}

func (r *recent[K, V]) put(key K, value V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.newer) == maxRecent || r.newer == nil {
		r.older, r.newer = r.newer, make(map[K]V)
	}
	r.newer[key] = value
}

// remembering is a key that remembers the signatures of short messages. A signature is
// deterministic (RFC 6979), and takes longer than all else about a payment's credentials, whose
// message is the same for all payments of a stream.
type remembering struct {
	signer.Source
	known recent[[32]byte, []byte]
}

// Sign implements signer.Source.
func (r *remembering) Sign(ctx context.Context, message []byte) ([]byte, error) {
	var name [32]byte
	if len(message) != len(name) {
		return r.Source.Sign(ctx, message)
	}
	copy(name[:], message)
	if sig, ok := r.known.get(name); ok {
		return bytes.Clone(sig), nil
	}
	sig, err := r.Source.Sign(ctx, message)
	if err == nil {
		r.known.put(name, bytes.Clone(sig))
	}
	return sig, err
}

// Remember returns a key that signs each message of 32 bytes once, for Payer.Credentials.
func Remember(key signer.Source) signer.Source { return &remembering{Source: key} }
