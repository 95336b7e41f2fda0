package remote

import (
	"crypto/sha256"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/live"
)

// maxStates bounds how many states are remembered, twice.
const maxStates = 1 << 13

// states verifies the states that clients send. It remembers those that were signed here or
// verified, since most come back at once, and recovering a key from a signature takes longer
// than to make one.
type states struct {
	sender common.Address

	mu            sync.Mutex
	recent, older map[[sha256.Size]byte]bool
}

func newStates(sender common.Address) *states {
	return &states{sender: sender, recent: make(map[[sha256.Size]byte]bool)}
}

// verify returns the session of a state. It fails as live.State.Verify does.
func (s *states) verify(state live.State) (*live.Session, error) {
	name := digest(state)
	s.mu.Lock()
	known := s.recent[name] || s.older[name]
	s.mu.Unlock()
	if known {
		return live.DecodeSession(state.State)
	}
	session, err := state.Verify(s.sender)
	if err == nil {
		s.add(state)
	}
	return session, err
}

// add remembers a state whose signature is the sender's.
func (s *states) add(state live.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recent) == maxStates {
		s.older, s.recent = s.recent, make(map[[sha256.Size]byte]bool)
	}
	s.recent[digest(state)] = true
}

// digest names a state with its signature.
func digest(state live.State) (sum [sha256.Size]byte) {
	bytes, sig := sha256.Sum256(state.State), sha256.Sum256(state.Sig)
	return sha256.Sum256(append(bytes[:], sig[:]...))
}
