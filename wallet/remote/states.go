package remote

import (
	"crypto/sha256"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/live"
)

// states verifies the states that clients send. It remembers those that were signed here or
// verified, since most come back at once, and recovering a key from a signature takes longer
// than to make one.
type states struct {
	sender common.Address
	recent recent[[sha256.Size]byte, struct{}]
}

// verify returns the session of a state. It fails as live.State.Verify does.
func (s *states) verify(state live.State) (*live.Session, error) {
	if _, known := s.recent.get(digest(state)); known {
		return live.DecodeSession(state.State)
	}
	session, err := state.Verify(s.sender)
	if err == nil {
		s.add(state)
	}
	return session, err
}

// add remembers a state whose signature is the sender's.
func (s *states) add(state live.State) { s.recent.put(digest(state), struct{}{}) }

// digest names a state with its signature.
func digest(state live.State) (sum [sha256.Size]byte) {
	bytes, sig := sha256.Sum256(state.State), sha256.Sum256(state.Sig)
	return sha256.Sum256(append(bytes[:], sig[:]...))
}
