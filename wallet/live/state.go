package live

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/signer"
)

// State is a session as a client carries it from one request to the next.
type State struct {
	// State is the session's JSON, Sig the sender's signature of these bytes as a personal
	// message.
	State []byte
	Sig   []byte
}

// IsZero reports whether there is no state: the request begins a session.
func (s State) IsZero() bool { return len(s.State) == 0 && len(s.Sig) == 0 }

// Sign returns the session as a client carries it.
func (s *Session) Sign(ctx context.Context, key signer.Source) (State, error) {
	data, err := s.Encode()
	if err != nil {
		return State{}, err
	}
	return signState(ctx, key, data)
}

func signState(ctx context.Context, key signer.Source, data []byte) (State, error) {
	sig, err := key.Sign(ctx, data)
	if err != nil {
		return State{}, fmt.Errorf("sign the state: %w", err)
	}
	return State{data, sig}, nil
}

// Verify returns the session, which the sender must have signed. It fails with ErrSignature
// and ErrState.
func (s State) Verify(sender common.Address) (*Session, error) {
	if !new(pm.DefaultSigVerifier).Verify(sender, s.State, s.Sig) {
		return nil, ErrSignature
	}
	return DecodeSession(s.State)
}
