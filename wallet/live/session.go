package live

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
)

// Session is how far the payments of one stream have come. Its JSON has the names and the
// order of the deployed signer's states, which auth webhooks read.
type Session struct {
	// StateID names the session.
	StateID string

	// PMSessionID is the recipientRandHash of the last payment's params, and SenderNonce the
	// last of their nonces that it used.
	PMSessionID common.Hash

	// LastUpdate is the time until which the session is paid.
	LastUpdate time.Time

	// OrchestratorAddress, App and Type are those of the first request.
	OrchestratorAddress common.Address
	App                 string

	// AuthExpiry is the time, in unix seconds, until which the auth webhook need not be
	// asked again; 0 is always.
	AuthExpiry int64

	SenderNonce uint32

	// Balance is what was paid beyond the fees so far, in wei. It may be negative.
	Balance *big.Rat

	// InitialPricePerUnit and InitialPixelsPerUnit are the first request's price, which
	// holds for the whole session.
	InitialPricePerUnit  int64
	InitialPixelsPerUnit int64

	Type Type

	// SequenceNumber counts the payments from 0.
	SequenceNumber uint64

	// AuthID is whose session it is, "" where that is not known.
	AuthID string
}

// Accept fails with ErrOrchestrator, ErrApp or ErrTypeChanged for a request that belongs to
// another session.
func (s *Session) Accept(r Request) error {
	switch {
	case s.OrchestratorAddress != r.Orchestrator:
		return ErrOrchestrator
	case s.App != r.App:
		return ErrApp
	case s.Type != "" && s.Type != r.Type:
		return ErrTypeChanged
	}
	return nil
}

// Auth is what an auth webhook or a proxy said about a session.
type Auth struct {
	// ID is whose session it is; "" leaves that as it was.
	ID string

	// Alias is what another signer of the key calls the same caller; "" is not known.
	Alias string

	// Expiry is Session.AuthExpiry.
	Expiry int64
}

// Next returns the session after a payment that bill was made for. id names a session that
// begins, where s is nil. session and lastNonce are the payment's. It fails with ErrAuthID.
func (s *Session) Next(r Request, bill *Bill, id string, session common.Hash, lastNonce uint32, auth Auth) (*Session, error) {
	next := &Session{StateID: id}
	if s != nil {
		*next = *s
		next.SequenceNumber++
	}
	switch {
	case next.AuthID == "":
		next.AuthID = auth.ID
	case auth.ID != "" && auth.ID != next.AuthID:
		return nil, fmt.Errorf("%w: the auth ID is %q, and the session's is %q", ErrAuthID, auth.ID, next.AuthID)
	}
	next.PMSessionID, next.SenderNonce = session, lastNonce
	next.LastUpdate = r.At.UTC()
	next.OrchestratorAddress, next.App, next.Type = r.Orchestrator, r.App, r.Type
	next.AuthExpiry = auth.Expiry
	next.Balance = bill.Balance
	next.InitialPricePerUnit, next.InitialPixelsPerUnit = bill.Price.PerUnit, bill.Price.Pixels
	return next, nil
}

// Encode returns the session's JSON: the same bytes as the deployed signer's.
func (s *Session) Encode() ([]byte, error) {
	encoded := *s
	encoded.Balance = num.OrZero(s.Balance)
	return json.Marshal(encoded)
}

// maxState is how many bytes a session may have: a balance has some 200 digits.
const maxState = 1 << 14

// DecodeSession reads what Encode writes. It fails with ErrState.
func DecodeSession(data []byte) (*Session, error) {
	s := new(Session)
	read := struct {
		*Session
		Balance string
	}{Session: s}
	if len(data) > maxState || json.Unmarshal(data, &read) != nil {
		return nil, ErrState
	}
	var ok bool
	if s.Balance, ok = parseBalance(read.Balance); !ok || s.SequenceNumber >= math.MaxInt64 || s.Type != "" && s.Type.Unit() == "" {
		return nil, ErrState
	}
	return s, nil
}

// parseBalance reads "n" or "n/d", which may have a sign.
func parseBalance(text string) (*big.Rat, bool) {
	const maxLength = 2000
	if len(text) > maxLength || strings.Trim(text, "0123456789/-") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
