package pm

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
)

// Sender makes tickets from recipients' params. Its methods may be called from any goroutine.
type Sender interface {
	// StartSession begins, or continues, the session of the params' RecipientRandHash and
	// returns its ID. The params are copied and not checked here.
	StartSession(ticketParams TicketParams) string

	// CreateTicketBatch returns size signed tickets with nonces that no other batch has. The
	// batch shares no memory with the session. It fails with ErrUnknownSession, as Limits.Check
	// does, with *NonceCapError if the params are used up, and with the signer's error; nonces
	// that were reserved when it failed are not used again.
	CreateTicketBatch(sessionID string, size int) (*TicketBatch, error)

	// ValidateTicketParams checks whether CreateTicketBatch would make one ticket of these
	// params. It fails as Limits.Check does.
	ValidateTicketParams(ticketParams *TicketParams) error

	// EV returns the expected value of a session's ticket, exactly, in wei, or
	// ErrUnknownSession.
	EV(sessionID string) (*big.Rat, error)
}

// ResumableSender is a Sender whose caller keeps the nonces of sessions elsewhere, as a
// gateway's remote signer does between two requests. NewSender and NewSenderWithStore return
// one:
//
//	sender := pm.NewSender(…).(pm.ResumableSender)
//
// go-livepeer's Sender has these methods since v0.7.4. Here they are a separate interface, so
// that existing implementations of Sender stay valid.
type ResumableSender interface {
	Sender

	// StartSessionWithNonce is StartSession for params whose nonces up to nonce are used
	// already: the next ticket has a higher one. It never lowers a session's nonce; with 0 it
	// is StartSession. With a NonceStore the skipped nonces are reserved with the next batch.
	StartSessionWithNonce(ticketParams TicketParams, nonce uint32) string

	// CleanupSession ends a session and frees its params. The sender remembers the used nonces
	// until the params expire, so that the session can be started again. An unknown ID changes
	// nothing.
	CleanupSession(sessionID string)

	// Nonce returns the highest nonce that this sender used in a session or was started with, 0
	// before the first, or ErrUnknownSession. Sets of params with the same RecipientRandHash
	// share it.
	Nonce(sessionID string) (uint32, error)
}

// sender implements ResumableSender.
type sender struct {
	signer        Signer
	timeManager   TimeManager
	senderManager SenderManager
	limits        Limits
	store         NonceStore

	mu       sync.Mutex
	sessions map[string]*session
	// counters are by recipientRandHash, and stay after CleanupSession: a session that is
	// started again must not repeat a nonce.
	counters map[common.Hash]*counter
	// sweepAt is the number of sessions and counters at which expired ones are dropped.
	sweepAt int
	// horizon is the highest expiration block of dropped sessions. If the chain goes back below
	// it, their params still count as expired: their nonces are forgotten.
	horizon *big.Int
}

// session is one set of params.
type session struct {
	params *TicketParams
	nonces *counter
}

// counter counts the nonces of one recipientRandHash, which several sets of params may share.
// sender.mu guards it.
type counter struct {
	// used is the highest used nonce.
	used uint32
	// floor is the highest nonce that a caller of StartSessionWithNonce has used elsewhere.
	floor uint32
	// expiration is the highest expiration block of the params that share it.
	expiration *big.Int
}

// NewSender returns a Sender that uses every nonce once in its lifetime; NewSenderWithStore
// does so across restarts. maxEV and maxTotalEV are in wei, nil for no limit; a
// depositMultiplier of 0 is none. A set of params makes 600 tickets.
func NewSender(signer Signer, timeManager TimeManager, senderManager SenderManager, maxEV *big.Rat, maxTotalEV *big.Rat, depositMultiplier int) Sender {
	limits := Limits{MaxEV: maxEV, MaxTotalEV: maxTotalEV, DepositMultiplier: depositMultiplier, NonceCap: maxSenderNonces}
	return NewSenderWithStore(signer, timeManager, senderManager, limits, nil)
}

// NewSenderWithStore returns a Sender whose nonces come from store, so that they are used once
// in the store's lifetime. A nil store counts in memory.
func NewSenderWithStore(signer Signer, timeManager TimeManager, senderManager SenderManager, limits Limits, store NonceStore) Sender {
	limits.MaxEV, limits.MaxTotalEV = copyRat(limits.MaxEV), copyRat(limits.MaxTotalEV)
	return &sender{
		signer:        signer,
		timeManager:   timeManager,
		senderManager: senderManager,
		limits:        limits,
		store:         store,
		sessions:      make(map[string]*session),
		counters:      make(map[common.Hash]*counter),
		sweepAt:       minSweep,
		horizon:       new(big.Int),
	}
}

func (s *sender) StartSession(ticketParams TicketParams) string {
	return s.StartSessionWithNonce(ticketParams, 0)
}

func (s *sender) StartSessionWithNonce(ticketParams TicketParams, nonce uint32) string {
	params := ticketParams.clone()
	lastBlock := s.timeManager.LastSeenL1Block()

	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(lastBlock)
	nonces := s.counters[params.RecipientRandHash]
	if nonces == nil {
		nonces = &counter{expiration: new(big.Int)}
		s.counters[params.RecipientRandHash] = nonces
	}
	nonces.floor, nonces.used = max(nonces.floor, nonce), max(nonces.used, nonce)
	if expiration := num.OrZero(params.ExpirationBlock); expiration.Cmp(nonces.expiration) > 0 {
		nonces.expiration = copyInt(expiration)
	}
	id := params.RecipientRandHash.Hex()
	// Other params with the same hash are a separate session, so that a caller's session does
	// not change; their nonces are counted together.
	for variant := 2; ; variant++ {
		known, ok := s.sessions[id]
		if !ok {
			break
		}
		if known.params.equal(params) {
			return id
		}
		id = fmt.Sprintf("%v-%d", params.RecipientRandHash, variant)
	}
	s.sessions[id] = &session{params, nonces}
	return id
}

func (s *sender) CleanupSession(sessionID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, sessionID)
}

func (s *sender) Nonce(sessionID string) (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, err := s.session(sessionID)
	if err != nil {
		return 0, err
	}
	return session.nonces.used, nil
}

func (s *sender) CreateTicketBatch(sessionID string, size int) (*TicketBatch, error) {
	params, err := s.params(sessionID)
	if err != nil {
		return nil, err
	}
	facts := s.facts()
	if err := s.check(params, facts, size); err != nil {
		return nil, err
	}
	ctx := context.Background()
	nonces, err := s.reserve(ctx, params, size)
	if err != nil {
		return nil, err
	}
	expiration := facts.Expiration(params)
	batch := &TicketBatch{
		TicketParams:           params,
		TicketExpirationParams: &expiration,
		Sender:                 s.signer.Account().Address,
	}
	err = Mint(ctx, s.signer, params, &expiration, nonces, func(sp TicketSenderParams) error {
		batch.SenderParams = append(batch.SenderParams, &TicketSenderParams{sp.SenderNonce, append([]byte(nil), sp.Sig...)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return batch, nil
}

func (s *sender) ValidateTicketParams(ticketParams *TicketParams) error {
	return s.check(ticketParams, s.facts(), 1)
}

func (s *sender) EV(sessionID string) (*big.Rat, error) {
	params, err := s.params(sessionID)
	if err != nil {
		return nil, err
	}
	return params.EV(), nil
}

// params returns a copy of a session's params.
func (s *sender) params(sessionID string) (*TicketParams, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, err := s.session(sessionID)
	if err != nil {
		return nil, err
	}
	return session.params.clone(), nil
}

// session finds a session. s.mu is held.
func (s *sender) session(id string) (*session, error) {
	session, ok := s.sessions[id]
	if !ok {
		return nil, fmt.Errorf("%w: %.80q", ErrUnknownSession, id)
	}
	return session, nil
}

// facts reads what needs no request; check reads the sender's info.
func (s *sender) facts() Facts {
	return Facts{
		LastSeenL1Block:               s.timeManager.LastSeenL1Block(),
		LastInitializedRound:          s.timeManager.LastInitializedRound(),
		LastInitializedL1BlockHash:    s.timeManager.LastInitializedL1BlockHash(),
		PreLastInitializedL1BlockHash: s.timeManager.PreLastInitializedL1BlockHash(),
	}
}

func (s *sender) check(params *TicketParams, facts Facts, n int) error {
	return s.limits.check(params, &facts, n, func() (*SenderInfo, error) {
		return s.senderManager.GetSenderInfo(s.signer.Account().Address)
	})
}

// reserve takes the next nonces of the params. size is at least 1.
func (s *sender) reserve(ctx context.Context, params *TicketParams, size int) (NonceRange, error) {
	if uint64(size) > math.MaxUint32 {
		return NonceRange{}, &NonceCapError{RecipientRandHash: params.RecipientRandHash, Asked: uint64(size), Cap: math.MaxUint32}
	}
	if s.store != nil {
		return s.reserveStored(ctx, params, uint32(size))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	counter, ok := s.counters[params.RecipientRandHash]
	if !ok || params.ExpirationBlock.Cmp(s.horizon) <= 0 {
		return NonceRange{}, fmt.Errorf("%w: they expire at L1 block %v; fetch fresh ticket params", ErrTicketParamsExpired, params.ExpirationBlock)
	}
	nonces, err := NextNonces(params.RecipientRandHash, counter.used, uint32(size), s.limits.NonceCap)
	if err == nil {
		counter.used += nonces.Count
	}
	return nonces, err
}

// reserveStored takes nonces from the store. Those that were used elsewhere are taken too, and
// lost, until the store has passed them.
func (s *sender) reserveStored(ctx context.Context, params *TicketParams, size uint32) (NonceRange, error) {
	floor := s.floor(params.RecipientRandHash)
	for count := size; ; {
		nonces, err := s.store.ReserveNonces(ctx, s.signer.Account().Address, params, count, s.limits.NonceCap)
		if err != nil {
			return NonceRange{}, fmt.Errorf("reserve %d nonces: %w", size, err)
		}
		last := nonces.First + nonces.Count - 1
		if nonces.First > floor && count == size {
			s.note(params.RecipientRandHash, last)
			return nonces, nil
		}
		count = size
		if last < floor {
			count = floor - last
		}
	}
}

// floor is the highest nonce of a recipientRandHash that was used elsewhere.
func (s *sender) floor(recipientRandHash common.Hash) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if counter, ok := s.counters[recipientRandHash]; ok {
		return counter.floor
	}
	return 0
}

// note records the highest nonce that the store has reserved.
func (s *sender) note(recipientRandHash common.Hash, nonce uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if counter, ok := s.counters[recipientRandHash]; ok {
		counter.used = max(counter.used, nonce)
	}
}

// minSweep is the number of sessions below which none is dropped.
const minSweep = 1024

// sweep drops the sessions and counters whose params have expired, each time their number has
// doubled, so that memory does not grow without bound. s.mu is held.
func (s *sender) sweep(lastBlock *big.Int) {
	if lastBlock == nil || len(s.sessions)+len(s.counters) < s.sweepAt {
		return
	}
	for id, session := range s.sessions {
		if session.nonces.expiration.Cmp(lastBlock) <= 0 {
			delete(s.sessions, id)
		}
	}
	for hash, counter := range s.counters {
		if counter.expiration.Cmp(lastBlock) > 0 {
			continue
		}
		delete(s.counters, hash)
		if counter.expiration.Cmp(s.horizon) > 0 {
			s.horizon.Set(counter.expiration)
		}
	}
	s.sweepAt = max(minSweep, 2*(len(s.sessions)+len(s.counters)))
}
