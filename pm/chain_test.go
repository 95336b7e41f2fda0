package pm

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/event"

	"github.com/pmctl/pmctl/internal/num"
)

// testChain replaces the contracts and the node: a Broker, TimeManager, SenderManager and
// GasPriceMonitor in memory that judges redemptions as the contract does.
type testChain struct {
	Broker // for methods that no test needs

	mu        sync.Mutex
	block     *big.Int
	round     *big.Int
	hash      [32]byte
	prevHash  [32]byte
	pool      *big.Int
	gasPrice  *big.Int
	senders   map[common.Address]*SenderInfo
	claimed   map[common.Address]*big.Int
	used      map[common.Hash]bool
	redeemed  []uint32 // nonces, in order
	attempts  int
	failWith  func(*Ticket) error // the error of RedeemWinningTicket
	checkWith func(*types.Transaction) error
	infoErr   error
	cleared   []common.Address

	blocks   event.Feed
	rounds   event.Feed
	reserves event.Feed
}

func newTestChain() *testChain {
	return &testChain{
		block:    big.NewInt(1000),
		round:    big.NewInt(10),
		hash:     [32]byte{0xaa},
		prevHash: [32]byte{0xbb},
		pool:     big.NewInt(100),
		gasPrice: big.NewInt(100_000_000),
		senders:  make(map[common.Address]*SenderInfo),
		claimed:  make(map[common.Address]*big.Int),
		used:     make(map[common.Hash]bool),
	}
}

func ether(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }

// fund gives a sender a deposit of 1 ETH and a reserve of 100 ETH.
func (c *testChain) fund(sender common.Address) {
	c.set(func() {
		c.senders[sender] = &SenderInfo{
			Deposit:       ether(1),
			WithdrawRound: new(big.Int),
			Reserve:       &ReserveInfo{FundsRemaining: ether(100), ClaimedInCurrentRound: new(big.Int)},
		}
	})
}

// set changes the chain's state.
func (c *testChain) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// mine moves the chain to a block and notifies the subscribers.
func (c *testChain) mine(block int64) {
	c.set(func() { c.block = big.NewInt(block) })
	c.blocks.Send(big.NewInt(block))
}

func read[T any](c *testChain, get func() T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return get()
}

func (c *testChain) LastInitializedRound() *big.Int {
	return read(c, func() *big.Int { return c.round })
}
func (c *testChain) LastInitializedL1BlockHash() [32]byte {
	return read(c, func() [32]byte { return c.hash })
}
func (c *testChain) PreLastInitializedL1BlockHash() [32]byte {
	return read(c, func() [32]byte { return c.prevHash })
}
func (c *testChain) GetTranscoderPoolSize() *big.Int {
	return read(c, func() *big.Int { return c.pool })
}
func (c *testChain) LastSeenL1Block() *big.Int { return read(c, func() *big.Int { return c.block }) }
func (c *testChain) GasPrice() *big.Int        { return read(c, func() *big.Int { return c.gasPrice }) }

func (c *testChain) SubscribeRounds(sink chan<- types.Log) event.Subscription {
	return c.rounds.Subscribe(sink)
}
func (c *testChain) SubscribeL1Blocks(sink chan<- *big.Int) event.Subscription {
	return c.blocks.Subscribe(sink)
}
func (c *testChain) SubscribeReserveChange(sink chan<- common.Address) event.Subscription {
	return c.reserves.Subscribe(sink)
}

func (c *testChain) GetSenderInfo(addr common.Address) (*SenderInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.infoErr != nil {
		return nil, c.infoErr
	}
	info := c.senders[addr]
	if info == nil {
		return &SenderInfo{Deposit: new(big.Int), WithdrawRound: new(big.Int), Reserve: &ReserveInfo{new(big.Int), new(big.Int)}}, nil
	}
	known := &SenderInfo{Deposit: copyInt(info.Deposit), WithdrawRound: copyInt(info.WithdrawRound)}
	if info.Reserve != nil {
		known.Reserve = &ReserveInfo{copyInt(info.Reserve.FundsRemaining), copyInt(info.Reserve.ClaimedInCurrentRound)}
	}
	return known, nil
}

func (c *testChain) ClaimedReserve(holder, claimant common.Address) (*big.Int, error) {
	return read(c, func() *big.Int { return copyInt(num.OrZero(c.claimed[claimant])) }), nil
}

func (c *testChain) Clear(addr common.Address) { c.set(func() { c.cleared = append(c.cleared, addr) }) }

func (c *testChain) IsUsedTicket(ticket *Ticket) (bool, error) {
	return read(c, func() bool { return c.used[ticket.Hash()] }), nil
}

func (c *testChain) RedeemWinningTicket(ticket *Ticket, sig []byte, recipientRand *big.Int) (*types.Transaction, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempts++
	if c.failWith != nil {
		if err := c.failWith(ticket); err != nil {
			return nil, err
		}
	}
	val := NewValidator(&DefaultSigVerifier{}, nil)
	if err := val.ValidateTicket(ticket.Recipient, ticket, sig, recipientRand); err != nil {
		return nil, err
	}
	if !val.IsWinningTicket(ticket, sig, recipientRand) {
		return nil, errors.New("ticket did not win")
	}
	if len(ticket.AuxData()) != auxDataBytes {
		return nil, errors.New("invalid length for ticket auxData: must be 64 bytes")
	}
	if c.used[ticket.Hash()] {
		return nil, ErrTicketUsed
	}
	c.used[ticket.Hash()] = true
	c.redeemed = append(c.redeemed, ticket.SenderNonce)
	return types.NewTx(&types.LegacyTx{Nonce: uint64(len(c.redeemed))}), nil
}

func (c *testChain) CheckTx(tx *types.Transaction) error {
	if check := read(c, func() func(*types.Transaction) error { return c.checkWith }); check != nil {
		return check(tx)
	}
	return nil
}

// memoryStore is a TicketStore in memory. With atomic it has a QueueStore's guarantees.
type memoryStore struct {
	mu       sync.Mutex
	tickets  []*SignedTicket
	settled  map[uint32]common.Hash
	inactive bool
	fail     map[string]error // by method
	requeued int
}

func (s *memoryStore) lock(method string) (func(), error) {
	s.mu.Lock()
	if err := s.fail[method]; err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	return s.mu.Unlock, nil
}

func (s *memoryStore) setFail(method string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.fail = make(map[string]error)
	}
	s.fail[method] = err
}

func (s *memoryStore) SelectEarliestWinningTicket(sender common.Address, minCreationRound int64) (*SignedTicket, error) {
	unlock, err := s.lock("select")
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, t := range s.tickets {
		if t.Sender == sender && t.CreationRound >= minCreationRound {
			return t, nil
		}
	}
	return nil, nil
}

func (s *memoryStore) RemoveWinningTicket(ticket *SignedTicket) error {
	unlock, err := s.lock("remove")
	if err != nil {
		return err
	}
	defer unlock()
	s.drop(ticket)
	return nil
}

func (s *memoryStore) drop(ticket *SignedTicket) {
	kept := s.tickets[:0:0]
	for _, t := range s.tickets {
		if t.Hash() != ticket.Hash() {
			kept = append(kept, t)
		}
	}
	s.tickets = kept
}

func (s *memoryStore) StoreWinningTicket(ticket *SignedTicket) error {
	unlock, err := s.lock("store")
	if err != nil {
		return err
	}
	defer unlock()
	for _, t := range s.tickets {
		if t.Hash() == ticket.Hash() {
			return nil
		}
	}
	s.tickets = append(s.tickets, ticket)
	return nil
}

func (s *memoryStore) MarkWinningTicketRedeemed(ticket *SignedTicket, txHash common.Hash) error {
	unlock, err := s.lock("mark")
	if err != nil {
		return err
	}
	defer unlock()
	if s.settled == nil {
		s.settled = make(map[uint32]common.Hash)
	}
	s.settled[ticket.SenderNonce] = txHash
	s.drop(ticket)
	return nil
}

func (s *memoryStore) WinningTicketCount(sender common.Address, minCreationRound int64) (int, error) {
	unlock, err := s.lock("count")
	if err != nil {
		return 0, err
	}
	defer unlock()
	n := 0
	for _, t := range s.tickets {
		if t.Sender == sender && t.CreationRound >= minCreationRound {
			n++
		}
	}
	return n, nil
}

func (s *memoryStore) IsOrchActive(common.Address, *big.Int) (bool, error) {
	unlock, err := s.lock("active")
	if err != nil {
		return false, err
	}
	defer unlock()
	return !s.inactive, nil
}

// nonces returns the waiting nonces, in order.
func (s *memoryStore) nonces() []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var nonces []uint32
	for _, t := range s.tickets {
		nonces = append(nonces, t.SenderNonce)
	}
	return nonces
}

func (s *memoryStore) settledTx(nonce uint32) (common.Hash, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash, ok := s.settled[nonce]
	return hash, ok
}

// queueStore is a memoryStore that is a QueueStore.
type queueStore struct{ *memoryStore }

func (s queueStore) WinningTicketSenders(minCreationRound int64) ([]common.Address, error) {
	unlock, err := s.lock("senders")
	if err != nil {
		return nil, err
	}
	defer unlock()
	var senders []common.Address
	for _, t := range s.tickets {
		if t.CreationRound >= minCreationRound {
			senders = append(senders, t.Sender)
		}
	}
	return senders, nil
}

func (s queueStore) RequeueWinningTicket(ticket *SignedTicket) error {
	unlock, err := s.lock("requeue")
	if err != nil {
		return err
	}
	defer unlock()
	s.drop(ticket)
	s.tickets = append(s.tickets, ticket)
	s.requeued++
	return nil
}

var _ QueueStore = queueStore{}

// testKey is a throw-away key.
var testKey = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"

func newTestSigner(t testing.TB) keySigner {
	t.Helper()
	return newKeySigner(t, common.Hex2Bytes(testKey))
}

func otherSigner(t testing.TB) keySigner {
	t.Helper()
	key, err := ecdsa.GenerateKey(crypto.S256(), cryptoRand{})
	if err != nil {
		t.Fatal(err)
	}
	return keySigner{key}
}

// cryptoRand reads from RandBytes.
type cryptoRand struct{}

func (cryptoRand) Read(p []byte) (int, error) { return copy(p, RandBytes(uint(len(p)))), nil }

// testConfig is the deployed node's config.
var testConfig = TicketParamsConfig{EV: big.NewInt(8_000_000_000), RedeemGas: 1_200_000, TxCostMultiplier: 100}

// testParams are params that the default limits accept from a funded sender.
func testParams() *TicketParams {
	winProb := new(big.Int).Quo(maxWinProb(), big.NewInt(1_500_000))
	return &TicketParams{
		Recipient:         common.HexToAddress("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
		FaceValue:         big.NewInt(12_000_000_000_000_000),
		WinProb:           winProb,
		RecipientRandHash: RandHash(),
		Seed:              new(big.Int).SetBytes(RandBytes(32)),
		ExpirationBlock:   big.NewInt(1040),
		PricePerPixel:     big.NewRat(1200, 7),
		ExpirationParams:  &TicketExpirationParams{CreationRound: 10, CreationRoundBlockHash: common.Hash{0xaa}},
	}
}
