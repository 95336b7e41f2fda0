package pm

import (
	"context"
	"errors"
	"math"
	"math/big"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"
)

func newTestSender(t testing.TB) (Sender, *testChain, keySigner) {
	t.Helper()
	chain, signer := newTestChain(), newTestSigner(t)
	chain.fund(signer.Account().Address)
	l := DefaultLimits()
	return NewSender(signer, chain, chain, l.MaxEV, nil, l.DepositMultiplier), chain, signer
}

func TestBatchIsWhatAValidatorTakes(t *testing.T) {
	sender, chain, signer := newTestSender(t)
	recipientRand := new(big.Int).SetBytes(RandBytes(32))
	params := testParams()
	params.RecipientRandHash = recipientRandHash(recipientRand)
	id := sender.StartSession(*params)
	if id != params.RecipientRandHash.Hex() {
		t.Errorf("session id is %s, want the recipientRandHash in hex", id)
	}
	batch, err := sender.CreateTicketBatch(id, 5)
	if err != nil {
		t.Fatal(err)
	}
	if batch.Sender != signer.Account().Address || len(batch.SenderParams) != 5 || *batch.TicketExpirationParams != *params.ExpirationParams {
		t.Errorf("batch is %+v", batch)
	}
	if !batch.TicketParams.equal(params) {
		t.Errorf("the batch's params are %+v, want %+v", batch.TicketParams, params)
	}
	validator := NewValidator(&DefaultSigVerifier{}, chain)
	for i, ticket := range batch.Tickets() {
		if ticket.SenderNonce != uint32(i+1) {
			t.Errorf("ticket %d has nonce %d", i, ticket.SenderNonce)
		}
		if err := validator.ValidateTicket(params.Recipient, ticket, batch.SenderParams[i].Sig, recipientRand); err != nil {
			t.Error(err)
		}
	}
	if ev, err := sender.EV(id); err != nil || ev.Cmp(params.EV()) != 0 {
		t.Errorf("EV is %v (%v), want %v", ev, err, params.EV())
	}
}

func TestBatchTakesTheLastRoundWhereParamsHaveNone(t *testing.T) {
	sender, _, _ := newTestSender(t)
	params := testParams()
	params.ExpirationParams = nil
	batch, err := sender.CreateTicketBatch(sender.StartSession(*params), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := TicketExpirationParams{10, common.Hash{0xaa}}
	if *batch.TicketExpirationParams != want || batch.Tickets()[0].CreationRound != 10 {
		t.Errorf("expiration params are %v, want %v", *batch.TicketExpirationParams, want)
	}
}

func TestSessionStartedAgainContinues(t *testing.T) {
	sender, _, _ := newTestSender(t)
	params := testParams()
	next := uint32(1)
	for range 4 {
		id := sender.StartSession(*params.clone())
		batch, err := sender.CreateTicketBatch(id, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, sp := range batch.SenderParams {
			if sp.SenderNonce != next {
				t.Fatalf("nonce is %d, want %d", sp.SenderNonce, next)
			}
			next++
		}
	}
}

// TestOtherParamsBehindOneHash: a recipient that commits to one rand twice gets no nonce twice,
// and a caller's session keeps its params.
func TestOtherParamsBehindOneHash(t *testing.T) {
	sender, _, _ := newTestSender(t)
	cheap, dear := testParams(), testParams()
	dear.RecipientRandHash = cheap.RecipientRandHash
	dear.FaceValue.Mul(dear.FaceValue, big.NewInt(2))
	ids := []string{sender.StartSession(*cheap), sender.StartSession(*dear)}
	if ids[0] == ids[1] {
		t.Fatal("two sets of params are one session")
	}
	if again := sender.StartSession(*dear); again != ids[1] {
		t.Errorf("started again, the session is %s, want %s", again, ids[1])
	}
	next := uint32(1)
	for _, i := range []int{0, 1, 0, 1} {
		batch, err := sender.CreateTicketBatch(ids[i], 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := batch.SenderParams[0].SenderNonce; got != next {
			t.Errorf("nonce is %d, want %d", got, next)
		}
		if want := []*TicketParams{cheap, dear}[i]; !batch.TicketParams.equal(want) {
			t.Errorf("the session's params have changed to %+v", batch.TicketParams)
		}
		next++
	}
}

// TestNoncesAreUnique: whatever goroutines do with sessions, no nonce comes twice.
func TestNoncesAreUnique(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sender, _, _ := newTestSender(t)
		sets := []*TicketParams{testParams(), testParams()}
		sizes := rapid.SliceOfN(rapid.IntRange(1, 4), 64, 64).Draw(rt, "sizes")
		var (
			mu   sync.Mutex
			seen = make(map[common.Hash]map[uint32]bool)
			wg   sync.WaitGroup
		)
		for g, size := range sizes {
			wg.Go(func() {
				id := sender.StartSession(*sets[g%2])
				batch, err := sender.CreateTicketBatch(id, size)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				nonces := seen[batch.RecipientRandHash]
				if nonces == nil {
					nonces = make(map[uint32]bool)
					seen[batch.RecipientRandHash] = nonces
				}
				for _, sp := range batch.SenderParams {
					if nonces[sp.SenderNonce] {
						t.Errorf("nonce %d was used twice", sp.SenderNonce)
					}
					nonces[sp.SenderNonce] = true
				}
			})
		}
		wg.Wait()
		total := 0
		for _, nonces := range seen {
			for nonce := uint32(1); nonce <= uint32(len(nonces)); nonce++ {
				if !nonces[nonce] {
					t.Errorf("nonce %d was skipped", nonce)
				}
			}
			total += len(nonces)
		}
		want := 0
		for _, size := range sizes {
			want += size
		}
		if total != want {
			t.Errorf("%d nonces, want %d", total, want)
		}
	})
}

func TestBatchSharesNoMemory(t *testing.T) {
	sender, _, _ := newTestSender(t)
	params := testParams()
	id := sender.StartSession(*params)
	want := params.clone()
	spoil := func(p *TicketParams) {
		for _, v := range []*big.Int{p.FaceValue, p.WinProb, p.Seed, p.ExpirationBlock} {
			v.SetInt64(7)
		}
		p.PricePerPixel.SetInt64(7)
		p.ExpirationParams.CreationRound = 7
	}
	spoil(params)
	batch, err := sender.CreateTicketBatch(id, 1)
	if err != nil || !batch.TicketParams.equal(want) {
		t.Fatalf("the session shares memory with the caller's params: %v", err)
	}
	spoil(batch.TicketParams)
	batch.TicketExpirationParams.CreationRound = 7
	again, err := sender.CreateTicketBatch(id, 1)
	if err != nil || !again.TicketParams.equal(want) || again.TicketExpirationParams.CreationRound != 10 {
		t.Fatalf("the session shares memory with a batch: %v", err)
	}
	ev, err := sender.EV(id)
	if err != nil {
		t.Fatal(err)
	}
	ev.SetInt64(7)
	if ev, err := sender.EV(id); err != nil || ev.Cmp(want.EV()) != 0 {
		t.Errorf("the session shares its EV: %v", err)
	}
}

func TestSenderRefuses(t *testing.T) {
	sender, chain, signer := newTestSender(t)
	if _, err := sender.CreateTicketBatch("nowhere", 1); !errors.Is(err, ErrUnknownSession) {
		t.Errorf("error is %v, want ErrUnknownSession", err)
	}
	if _, err := sender.EV("nowhere"); !errors.Is(err, ErrUnknownSession) {
		t.Errorf("error is %v, want ErrUnknownSession", err)
	}
	params := testParams()
	id := sender.StartSession(*params)
	for _, size := range []int{0, -1, math.MinInt} {
		if _, err := sender.CreateTicketBatch(id, size); !errors.Is(err, ErrTicketCount) {
			t.Errorf("size %d: error is %v, want ErrTicketCount", size, err)
		}
	}
	for size, limit := range map[int]uint32{601: 600, math.MaxUint32: 600, math.MaxUint32 + 1: math.MaxUint32, math.MaxInt: math.MaxUint32} {
		var capErr *NonceCapError
		if _, err := sender.CreateTicketBatch(id, size); !errors.As(err, &capErr) || capErr.Asked != uint64(size) || capErr.Cap != limit {
			t.Errorf("size %d: error is %v, want *NonceCapError with cap %d", size, err, limit)
		}
	}
	if err := sender.ValidateTicketParams(params); err != nil {
		t.Errorf("good params are refused: %v", err)
	}
	if err := sender.ValidateTicketParams(nil); err == nil {
		t.Error("no params are accepted")
	}
	chain.set(func() { chain.block = big.NewInt(1039) })
	if err := sender.ValidateTicketParams(params); !errors.Is(err, ErrTicketParamsExpired) {
		t.Errorf("error is %v, want ErrTicketParamsExpired", err)
	}
	if _, err := sender.CreateTicketBatch(id, 1); !errors.Is(err, ErrTicketParamsExpired) {
		t.Errorf("error is %v, want ErrTicketParamsExpired", err)
	}
	chain.set(func() { chain.block = big.NewInt(1000); chain.infoErr = errOffline })
	var senderErr ErrSenderValidation
	if _, err := sender.CreateTicketBatch(id, 1); !errors.As(err, &senderErr) || !errors.Is(err, errOffline) {
		t.Errorf("error is %v, want ErrSenderValidation for %v", err, errOffline)
	}
	free := testParams()
	free.FaceValue, free.WinProb = new(big.Int), new(big.Int)
	if _, err := sender.CreateTicketBatch(sender.StartSession(*free), 1); err != nil {
		t.Errorf("a ticket without EV reads the sender's funds: %v", err)
	}
	chain.set(func() { chain.infoErr = nil; delete(chain.senders, signer.Account().Address) })
	if err := sender.ValidateTicketParams(params); !errors.Is(err, ErrNoReserve) {
		t.Errorf("error is %v, want ErrNoReserve", err)
	}
}

var errOffline = errors.New("node is offline")

func isNonceCapError(err error) bool {
	var e *NonceCapError
	return errors.As(err, &e)
}

func TestNonceCap(t *testing.T) {
	sender, chain, signer := newTestSender(t)
	id := sender.StartSession(*testParams())
	if _, err := sender.CreateTicketBatch(id, 599); err != nil {
		t.Fatal(err)
	}
	var capErr *NonceCapError
	if _, err := sender.CreateTicketBatch(id, 2); !errors.As(err, &capErr) || capErr.Used != 599 || capErr.Asked != 2 || capErr.Cap != 600 {
		t.Errorf("error is %v", err)
	}
	// The refusal took no nonce.
	if batch, err := sender.CreateTicketBatch(id, 1); err != nil || batch.SenderParams[0].SenderNonce != 600 {
		t.Errorf("the 600th ticket: %v", err)
	}
	if _, err := sender.CreateTicketBatch(id, 1); !isNonceCapError(err) {
		t.Errorf("the 601st ticket: %v, want *NonceCapError", err)
	}
	uncapped := NewSenderWithStore(signer, chain, chain, Limits{}, nil)
	if batch, err := uncapped.CreateTicketBatch(uncapped.StartSession(*testParams()), 601); err != nil || len(batch.SenderParams) != 601 {
		t.Errorf("without a cap: %v", err)
	}
}

// nonceTable is a NonceStore in memory, which outlives senders.
type nonceTable struct {
	mu   sync.Mutex
	used map[common.Hash]uint32
	fail error
}

func (s *nonceTable) ReserveNonces(_ context.Context, _ common.Address, params *TicketParams, count, limit uint32) (NonceRange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return NonceRange{}, s.fail
	}
	nonces, err := NextNonces(params.RecipientRandHash, s.used[params.RecipientRandHash], count, limit)
	if err == nil {
		s.used[params.RecipientRandHash] += count
	}
	return nonces, err
}

func TestSenderWithStoreContinuesOverRestarts(t *testing.T) {
	_, chain, signer := newTestSender(t)
	params, store := testParams(), &nonceTable{used: make(map[common.Hash]uint32)}
	for _, first := range []uint32{1, 4, 7} {
		sender := NewSenderWithStore(signer, chain, chain, DefaultLimits(), store)
		batch, err := sender.CreateTicketBatch(sender.StartSession(*params), 2)
		if err != nil || batch.SenderParams[0].SenderNonce != first || batch.SenderParams[1].SenderNonce != first+1 {
			t.Fatalf("batch is %v (%v), want it to begin at nonce %d", batch, err, first)
		}
		// A failed signature loses its nonce.
		broken := NewSenderWithStore(&countingSigner{Signer: signer, failAt: 1}, chain, chain, DefaultLimits(), store)
		if _, err := broken.CreateTicketBatch(broken.StartSession(*params), 1); !errors.Is(err, errLocked) {
			t.Fatalf("error is %v, want %v", err, errLocked)
		}
	}
	store.used[params.RecipientRandHash] = 600
	sender := NewSenderWithStore(signer, chain, chain, DefaultLimits(), store)
	id := sender.StartSession(*params)
	if _, err := sender.CreateTicketBatch(id, 1); !isNonceCapError(err) {
		t.Errorf("error is %v, want *NonceCapError", err)
	}
	store.fail = errOffline
	if _, err := sender.CreateTicketBatch(id, 1); !errors.Is(err, errOffline) {
		t.Errorf("error is %v, want %v", err, errOffline)
	}
}

func TestLimitsAreCopied(t *testing.T) {
	_, chain, signer := newTestSender(t)
	limit := big.NewRat(3_000_000_000_000, 1)
	sender := NewSender(signer, chain, chain, limit, nil, 1)
	limit.SetInt64(1)
	if err := sender.ValidateTicketParams(testParams()); err != nil {
		t.Errorf("the sender shares its limit with the caller: %v", err)
	}
}

// TestExpiredSessionsAreDropped: memory does not grow with age, and dropped sessions use no
// nonce again even if the chain goes back.
func TestExpiredSessionsAreDropped(t *testing.T) {
	s, chain, _ := newTestSender(t)
	first := testParams()
	id := s.StartSession(*first)
	if _, err := s.CreateTicketBatch(id, 1); err != nil {
		t.Fatal(err)
	}
	for block := int64(1000); block < 1000+3*minSweep; block++ {
		chain.set(func() { chain.block = big.NewInt(block) })
		params := testParams()
		params.ExpirationBlock.SetInt64(block + 40)
		s.StartSession(*params)
	}
	if n := len(s.(*sender).sessions); n > minSweep+40 {
		t.Errorf("%d sessions are remembered", n)
	}
	if _, err := s.CreateTicketBatch(id, 1); !errors.Is(err, ErrUnknownSession) {
		t.Errorf("error is %v, want ErrUnknownSession", err)
	}
	chain.set(func() { chain.block = big.NewInt(1000) })
	if _, err := s.CreateTicketBatch(s.StartSession(*first), 1); !errors.Is(err, ErrTicketParamsExpired) {
		t.Errorf("after the chain went back: %v, want ErrTicketParamsExpired", err)
	}
}
