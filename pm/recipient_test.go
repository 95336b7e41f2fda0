package pm

import (
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"
)

// lottery is a sender and a recipient on one chain.
type lottery struct {
	t      testing.TB
	chain  *testChain
	signer keySigner
	sender common.Address
	addr   common.Address
	sm     *LocalSenderMonitor
	store  *memoryStore
	Recipient
}

func newLottery(t testing.TB, config TicketParamsConfig) *lottery {
	t.Helper()
	chain, signer, addr, store := newTestChain(), newTestSigner(t), RandAddress(), &memoryStore{}
	sender := signer.Account().Address
	chain.fund(sender)
	sm := NewSenderMonitor(&LocalSenderMonitorConfig{Claimant: addr}, chain, chain, chain, store)
	r, err := NewRecipient(addr, chain, NewValidator(&DefaultSigVerifier{}, chain), chain, sm, chain, config)
	if err != nil {
		t.Fatal(err)
	}
	return &lottery{t, chain, signer, sender, addr, sm, store, r}
}

func (l *lottery) params() *TicketParams {
	l.t.Helper()
	params, err := l.TicketParams(l.sender, big.NewRat(1200, 7))
	if err != nil {
		l.t.Fatal(err)
	}
	return params
}

// ticket returns a signed ticket, which change may have altered before it was signed.
func (l *lottery) ticket(params *TicketParams, nonce uint32, change ...func(*Ticket)) (*Ticket, []byte) {
	l.t.Helper()
	ticket := NewTicket(params, nil, l.sender, nonce)
	for _, f := range change {
		f(ticket)
	}
	sig, err := l.signer.Sign(ticket.Hash().Bytes())
	if err != nil {
		l.t.Fatal(err)
	}
	return ticket, sig
}

func (l *lottery) receive(params *TicketParams, nonce uint32) error {
	l.t.Helper()
	ticket, sig := l.ticket(params, nonce)
	_, _, err := l.ReceiveTicket(ticket, sig, params.Seed)
	return err
}

func isFatal(err error) bool {
	var fatal *FatalReceiveErr
	return errors.As(err, &fatal)
}

// alwaysWins is a config whose params win but for one draw in 2^256: EV is the face
// value.
var alwaysWins = TicketParamsConfig{EV: ether(1), RedeemGas: 1000, TxCostMultiplier: 100}

func TestSenderPaysRecipient(t *testing.T) {
	l := newLottery(t, testConfig)
	sender := NewSender(l.signer, l.chain, l.chain, nil, nil, 1)
	params := l.params()
	if err := sender.ValidateTicketParams(params); err != nil {
		t.Fatal(err)
	}
	id := sender.StartSession(*params)
	batch, err := sender.CreateTicketBatch(id, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i, ticket := range batch.Tickets() {
		sessionID, won, err := l.ReceiveTicket(ticket, batch.SenderParams[i].Sig, params.Seed)
		if err != nil || sessionID != id {
			t.Errorf("ticket %d: session %s, error %v", i, sessionID, err)
		}
		if want := NewValidator(&DefaultSigVerifier{}, nil).IsWinningTicket(ticket, batch.SenderParams[i].Sig, l.secretNumber(ticket, params.Seed)); won != want {
			t.Errorf("ticket %d: won is %v, want %v", i, won, want)
		}
	}
	if l.EV().RatString() != "8000000000" {
		t.Errorf("EV is %v", l.EV())
	}
}

func (l *lottery) secretNumber(ticket *Ticket, seed *big.Int) *big.Int {
	l.t.Helper()
	n, err := l.Recipient.(*recipient).rand(seed, ticket)
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

func TestWinnerIsHandedOver(t *testing.T) {
	l := newLottery(t, alwaysWins)
	params := l.params()
	equalInt(t, "winProb", params.WinProb, maxWinProb())
	ticket, sig := l.ticket(params, 1)
	id, won, err := l.ReceiveTicket(ticket, sig, params.Seed)
	if err != nil || !won || id != params.RecipientRandHash.Hex() {
		t.Fatalf("session %s, won %v, error %v", id, won, err)
	}
	if err := l.RedeemWinningTicket(ticket, sig, params.Seed); err != nil {
		t.Fatal(err)
	}
	queued := l.store.tickets[0]
	if queued.Hash() != ticket.Hash() || recipientRandHash(queued.RecipientRand) != params.RecipientRandHash {
		t.Errorf("queued is %+v", queued)
	}
	ticket.FaceValue.SetInt64(0)
	sig[0]++
	if queued.FaceValue.Sign() == 0 || queued.Sig[0] == sig[0] {
		t.Error("the queue shares memory with the caller")
	}
}

func TestRedeemRefusesWhatCannotBeRedeemed(t *testing.T) {
	l := newLottery(t, testConfig)
	params, err := l.TicketParams(l.sender, new(big.Rat)) // price 0: winProb 0
	if err != nil {
		t.Fatal(err)
	}
	loser, sig := l.ticket(params, 1)
	if err := l.RedeemWinningTicket(loser, sig, params.Seed); !errors.Is(err, ErrNotWinning) {
		t.Errorf("error is %v, want ErrNotWinning", err)
	}
	if err := l.RedeemWinningTicket(loser, sig, new(big.Int)); !errors.Is(err, ErrRecipientRand) {
		t.Errorf("error is %v, want ErrRecipientRand", err)
	}
	if len(l.store.tickets) != 0 {
		t.Error("it was queued")
	}
}

func TestPriceZeroOwesNothing(t *testing.T) {
	l := newLottery(t, testConfig)
	l.chain.set(func() { delete(l.chain.senders, l.sender) })
	params, err := l.TicketParams(l.sender, new(big.Rat))
	if err != nil {
		t.Fatal(err)
	}
	if params.FaceValue.Sign() != 0 || params.WinProb.Sign() != 0 {
		t.Errorf("face value is %v, winProb %v, want 0", params.FaceValue, params.WinProb)
	}
	ticket, sig := l.ticket(params, 1)
	if _, won, err := l.ReceiveTicket(ticket, sig, params.Seed); won || err != nil {
		t.Errorf("won %v, error %v", won, err)
	}
	for _, price := range []*big.Rat{nil, big.NewRat(-1, 2), new(big.Rat).SetInt(new(big.Int).Lsh(common.Big1, 256))} {
		if _, err := l.TicketParams(l.sender, price); err == nil {
			t.Errorf("price %v is accepted", price)
		}
	}
}

func TestParamsOfARoundWithoutBlockHash(t *testing.T) {
	l := newLottery(t, testConfig)
	l.chain.set(func() { l.chain.hash = [32]byte{} })
	params := l.params()
	if want := (TicketExpirationParams{9, common.Hash{0xbb}}); *params.ExpirationParams != want {
		t.Errorf("expiration params are %v, want the round before, %v", *params.ExpirationParams, want)
	}
	if err := l.receive(params, 1); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(){
		"no hash at all":    func() { l.chain.prevHash = [32]byte{} },
		"before round 0":    func() { l.chain.prevHash = [32]byte{1}; l.chain.round = new(big.Int) },
		"round not known":   func() { l.chain.round = nil },
		"round over 64 bit": func() { l.chain.round = new(big.Int).Lsh(common.Big1, 70) },
	} {
		l.chain.set(change)
		if _, err := l.TicketParams(l.sender, big.NewRat(1, 1)); err == nil {
			t.Errorf("%s: params were made", name)
		}
	}
}

func TestParamsShareNoMemory(t *testing.T) {
	config := TicketParamsConfig{EV: big.NewInt(8_000_000_000), RedeemGas: 1_200_000, TxCostMultiplier: 100}
	l := newLottery(t, config)
	price, limit := big.NewRat(3, 4), big.NewInt(11_000_000_000_000_000)
	l.SetMaxFaceValue(limit)
	params, err := l.TicketParams(l.sender, price)
	if err != nil {
		t.Fatal(err)
	}
	price.SetInt64(1)
	limit.SetInt64(1)
	config.EV.SetInt64(1)
	params.FaceValue.Add(params.FaceValue, common.Big1)
	l.EV().SetInt64(1)
	if again := l.params(); again.FaceValue.Int64() != 11_000_000_000_000_000 || l.EV().RatString() != "8000000000" {
		t.Errorf("face value is %v, EV %v", again.FaceValue, l.EV())
	}
	if params.PricePerPixel.RatString() != "3/4" {
		t.Errorf("price is %v", params.PricePerPixel)
	}
	l.SetMaxFaceValue(nil)
	if again := l.params(); again.FaceValue.Int64() != 12_000_000_000_000_000 {
		t.Errorf("without a limit the face value is %v", again.FaceValue)
	}
}

func TestParamsFailWhereTheSenderCannotBeSeen(t *testing.T) {
	l := newLottery(t, testConfig)
	l.chain.set(func() { l.chain.infoErr = errOffline })
	if _, err := l.TicketParams(l.sender, big.NewRat(1, 1)); !errors.Is(err, errOffline) {
		t.Errorf("error is %v, want %v", err, errOffline)
	}
	if _, err := l.TxCostMultiplier(l.sender); !errors.Is(err, errOffline) {
		t.Errorf("error is %v, want %v", err, errOffline)
	}
}

func TestNewRecipientRefusesABadConfig(t *testing.T) {
	for name, config := range map[string]TicketParamsConfig{
		"no EV":               {RedeemGas: 1, TxCostMultiplier: 1},
		"negative EV":         {EV: big.NewInt(-1), RedeemGas: 1, TxCostMultiplier: 1},
		"wide EV":             {EV: new(big.Int).Lsh(common.Big1, 256), RedeemGas: 1, TxCostMultiplier: 1},
		"negative gas":        {EV: common.Big1, RedeemGas: -1, TxCostMultiplier: 1},
		"negative multiplier": {EV: common.Big1, RedeemGas: 1, TxCostMultiplier: -1},
	} {
		if r, err := NewRecipient(RandAddress(), nil, nil, nil, nil, nil, config); err == nil || r != nil {
			t.Errorf("%s: recipient %v, error %v", name, r, err)
		}
	}
}

// TestSecretMakesTheParams: a recipient with the same secret accepts tickets after a restart,
// another one does not.
func TestSecretMakesTheParams(t *testing.T) {
	l := newLottery(t, testConfig)
	restart := func(secret [32]byte) *lottery {
		c := *l
		c.Recipient = NewRecipientWithSecret(l.addr, nil, NewValidator(&DefaultSigVerifier{}, nil), l.chain, l.sm, l.chain, secret, testConfig)
		return &c
	}
	params := restart([32]byte{1}).params()
	if err := restart([32]byte{1}).receive(params, 1); err != nil {
		t.Error(err)
	}
	for _, other := range []*lottery{restart([32]byte{2}), l} {
		if err := other.receive(params, 1); !errors.Is(err, ErrRecipientRand) {
			t.Errorf("error is %v, want ErrRecipientRand", err)
		}
	}
}

// TestAnyParamsOfARecipientAreReceived: whatever the chain and the config are, params are worth
// at least the EV and the sender's tickets are accepted.
func TestAnyParamsOfARecipientAreReceived(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		config := TicketParamsConfig{
			EV:               drawUint(rt, "EV", 160),
			RedeemGas:        rapid.IntRange(0, 1<<40).Draw(rt, "gas"),
			TxCostMultiplier: rapid.IntRange(0, 1000).Draw(rt, "multiplier"),
		}
		l := newLottery(t, config)
		l.chain.gasPrice = drawUint(rt, "gas price", 64)
		l.chain.pool = big.NewInt(rapid.Int64Range(0, 200).Draw(rt, "pool"))
		l.chain.senders[l.sender].Reserve.FundsRemaining = drawUint(rt, "reserve", 200)
		params, err := l.TicketParams(l.sender, big.NewRat(rapid.Int64Range(1, 1e9).Draw(rt, "price"), 7))
		if err != nil {
			if !errors.Is(err, ErrInsufficientSenderReserve) {
				rt.Fatal(err)
			}
			return
		}
		if err := params.CheckFields(); err != nil {
			rt.Fatal(err)
		}
		if params.FaceValue.Sign() > 0 && params.EV().Cmp(l.EV()) < 0 {
			rt.Fatalf("EV is %v, want at least %v", params.EV(), l.EV())
		}
		for nonce := range uint32(2) {
			if err := l.receive(params, nonce); err != nil {
				rt.Fatal(err)
			}
		}
	})
}
