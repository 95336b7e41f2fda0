package pay

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// inMemory keeps offers for one run.
type inMemory map[string]*Offer

func (m inMemory) key(sender common.Address, u URL) string { return sender.Hex() + u.String() }

func (m inMemory) Load(_ context.Context, sender common.Address, u URL) (*Offer, error) {
	return m[m.key(sender, u)], nil
}

func (m inMemory) Save(_ context.Context, offer *Offer) error {
	m[m.key(offer.Sender, offer.URL)] = offer
	return nil
}

func (m inMemory) Drop(_ context.Context, sender common.Address, u URL) error {
	delete(m, m.key(sender, u))
	return nil
}

// knownInMemory remembers recipients for one run.
type knownInMemory map[string]common.Address

func (k knownInMemory) Recipient(_ context.Context, sender common.Address, url string) (common.Address, error) {
	return k[sender.Hex()+url], nil
}

func (k knownInMemory) PinRecipients(_ context.Context, sender common.Address, pins []store.Pin, accept []common.Address) ([]common.Address, error) {
	others := make([]common.Address, len(pins))
	for i, pin := range pins {
		was, pinned := k[sender.Hex()+pin.URL]
		if pinned && was != pin.Recipient && !slices.Contains(accept, pin.Recipient) {
			others[i] = was
			continue
		}
		k[sender.Hex()+pin.URL] = pin.Recipient
	}
	return others, nil
}

// world is a local network with a funded sender and a running recipient.
type world struct {
	net      *devnet.Devnet
	session  *Session
	kept     inMemory
	signer   signer.Local
	broker   *broker.Account
	unlocked int

	// status is where the recipient tells what it saw, unless it is its first server.
	status string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	net, err := devnet.Start(t.Context(), devnet.Config{Recipients: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	network := chain.Network{Name: chain.Devnet, ChainID: net.ChainID().Uint64(), Controller: net.Controller()}
	client, err := chain.Dial(t.Context(), net.RPCURL(), network)
	require.NoError(t, err)
	t.Cleanup(client.Close)

	w := &world{net: net, kept: inMemory{}, signer: signerOf(t, net.Accounts()[0].Key)}
	w.broker, err = chain.NewBroker(t.Context(), client, devnet.NewSender(client, w.signer))
	require.NoError(t, err)
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	w.session = &Session{
		Payer:  &Payer{Sender: w.signer.Address(), Limits: policy.Default(), Chain: client, Nonces: s.Chain(network.ChainID)},
		Client: &Client{Timeout: testTimeout},
		Kept:   w.kept,
		Pins:   Pins{Known: s.Chain(network.ChainID), Sender: w.signer.Address()},
		URL:    parse(t, net.Recipients()[0].State().URL),
		Unlock: func(context.Context) (signer.Source, error) {
			w.unlocked++
			return w.signer, nil
		},
	}
	return w
}

func signerOf(t *testing.T, key *ecdsa.PrivateKey) signer.Local {
	t.Helper()
	opened, err := signer.RawKey([]byte(hex.EncodeToString(crypto.FromECDSA(key))))
	require.NoError(t, err)
	t.Cleanup(opened.Close)
	return opened
}

// confirm waits for a transaction that must succeed.
func (w *world) confirm(t *testing.T) func(*types.Transaction, error) {
	return func(sent *types.Transaction, err error) {
		t.Helper()
		require.NoError(t, err)
		require.NoError(t, w.broker.CheckTx(sent))
	}
}

// control asks the network to do something.
func (w *world) control(t *testing.T, path string) {
	t.Helper()
	response, err := http.Post(w.net.ControlURL()+path, "", nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode, path)
}

// fault switches a fault of the recipient.
func (w *world) fault(t *testing.T, name string, on bool) {
	t.Helper()
	w.control(t, fmt.Sprintf("/recipients/0/fault?name=%s&on=%v", name, on))
}

// seen is what the recipient says that it saw of the sender.
func (w *world) seen(t *testing.T) recipient.SenderStatus {
	t.Helper()
	return w.seenAt(t, w.net.Recipients()[0].State().StatusURL)
}

func (w *world) seenAt(t *testing.T, url string) recipient.SenderStatus {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	var status recipient.Status
	require.NoError(t, json.NewDecoder(response.Body).Decode(&status))
	return status.Senders[w.signer.Address()]
}

// One sender's story with one recipient, told in order.
func TestPaySession(t *testing.T) {
	w := newWorld(t)
	pay := func(amount Amount) (*Payment, error) { return w.session.Pay(t.Context(), amount) }

	// No key is opened for a sender without funds.
	_, err := pay(Amount{Count: 1})
	require.ErrorIs(t, err, policy.ErrFunds)
	w.confirm(t)(w.broker.FundDeposit(big.NewInt(1e18)))
	_, err = pay(Amount{Count: 1})
	require.ErrorIs(t, err, pm.ErrNoReserve)
	require.Zero(t, w.unlocked)

	// A reserve too small for a face value is the recipient's to notice.
	w.confirm(t)(w.broker.FundReserve(big.NewInt(1)))
	_, err = pay(Amount{Count: 1})
	require.ErrorAs(t, err, new(*RefusedError))
	require.ErrorIs(t, err, pm.ErrInsufficientSenderReserve)
	w.confirm(t)(w.broker.FundReserve(big.NewInt(1e18)))

	w.unlocked = 0
	first, err := pay(amountOf(t, "3500gwei"))
	require.NoError(t, err)
	require.NoError(t, first.NextErr)
	require.False(t, first.Continued)
	require.Equal(t, pm.NonceRange{First: 1, Count: 4}, first.Tickets.Nonces)
	require.EqualValues(t, 4, w.seen(t).Credited)
	credit := new(big.Rat).Add(first.Tickets.Overpays, amountOf(t, "3500gwei").Value.Rat())
	require.Zero(t, credit.Cmp(first.Tickets.TotalEV))

	// The second payment uses the params of the first one's answer.
	asked := w.kept[w.kept.key(w.signer.Address(), w.session.URL)]
	second, err := pay(Amount{Count: 2})
	require.NoError(t, err)
	require.True(t, second.Continued)
	require.Same(t, asked, second.Offer)
	require.EqualValues(t, 6, w.seen(t).Credited)
	require.Equal(t, 2, w.unlocked)
	require.Len(t, w.seen(t).Manifests, 1, "all of it is credit of one session")

	// So does one on params that other tickets were made from.
	asked = w.kept[w.kept.key(w.signer.Address(), w.session.URL)]
	plan, err := w.session.Payer.Plan(t.Context(), asked.Params, Amount{Count: 3})
	require.NoError(t, err)
	_, err = w.session.Payer.Reserve(t.Context(), plan)
	require.NoError(t, err)
	third, err := pay(Amount{Count: 1})
	require.NoError(t, err)
	require.True(t, third.Continued)
	require.EqualValues(t, 4, third.Tickets.Nonces.First)

	// Params that expired meanwhile are fetched anew.
	w.control(t, "/mine?blocks=40")
	fourth, err := pay(Amount{Count: 1})
	require.NoError(t, err)
	require.False(t, fourth.Continued)
	require.EqualValues(t, 8, w.seen(t).Credited)
	require.Len(t, w.seen(t).Manifests, 2)

	// A session whose credentials the recipient no longer knows is over. What was sent to
	// it is spent, whatever it says; the next payment begins a new one.
	kept := w.kept[w.kept.key(w.signer.Address(), w.session.URL)]
	kept.Info.AuthToken.Token = []byte("from another life")
	_, err = pay(Amount{Count: 1})
	require.ErrorAs(t, err, new(*RefusedError))
	require.ErrorContains(t, err, "(sent: 1 of ")
	require.EqualValues(t, 8, w.seen(t).Credited)
	fifth, err := pay(Amount{Count: 1})
	require.NoError(t, err)
	require.False(t, fifth.Continued)
	require.EqualValues(t, 9, w.seen(t).Credited)

	w.refusals(t, pay)
}

// refusals continues the story with what a recipient can do to a payment.
func (w *world) refusals(t *testing.T, pay func(Amount) (*Payment, error)) {
	w.fault(t, "refuse-payment", true)
	before := w.seen(t)
	_, err := pay(Amount{Count: 1})
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusBadRequest, refused.Status)
	require.Empty(t, w.kept, "a refused session is not continued")
	w.fault(t, "refuse-payment", false)

	w.fault(t, "drop-after-taking", true)
	_, err = pay(Amount{Count: 2})
	require.ErrorAs(t, err, new(*UnknownOutcomeError))
	require.Empty(t, w.kept)
	require.Equal(t, before.Accepted+2, w.seen(t).Accepted, "the tickets were taken, once")
	w.fault(t, "drop-after-taking", false)

	unlocked := w.unlocked
	w.session.Payer.Limits.MaxEV = big.NewRat(1, 1)
	_, err = pay(Amount{Count: 1})
	require.ErrorIs(t, err, policy.ErrLimit)
	w.session.Payer.Limits = policy.Default()
	w.session.Payer.Limits.Recipients = []common.Address{{1}}
	_, err = pay(Amount{Count: 1})
	require.ErrorIs(t, err, policy.ErrWrongRecipient)
	w.session.Payer.Limits = policy.Default()
	_, err = pay(Amount{})
	require.ErrorIs(t, err, ErrAmount)
	require.Equal(t, unlocked+2, w.unlocked, "fresh params are asked for with a signature")

	for fault, check := range map[string]func(error){
		"other-recipient": func(err error) { require.ErrorAs(t, err, new(*OtherRecipientError)) },
		"no-auth-token": func(err error) {
			require.ErrorAs(t, err, new(*wire.MissingError))
			require.ErrorContains(t, err, w.session.URL.String())
		},
		"no-params":    func(err error) { require.ErrorIs(t, err, ErrNoTicketParams) },
		"long-integer": func(err error) { require.ErrorIs(t, err, ErrMalformed) },
		"expired":      func(err error) { require.ErrorIs(t, err, policy.ErrUnacceptable) },
		"expensive-ev": func(err error) { require.ErrorIs(t, err, policy.ErrLimit) },
	} {
		w.fault(t, fault, true)
		_, err = pay(Amount{Count: 1})
		require.Error(t, err, fault)
		check(err)
		w.fault(t, fault, false)
	}

	w.fault(t, "no-expiration-params", true)
	payment, err := pay(Amount{Count: 1})
	require.NoError(t, err, "the last initialized round is what the recipient means")
	require.Nil(t, payment.Offer.Params.ExpirationParams)
	require.NotZero(t, payment.Tickets.Expiration.CreationRound)
	w.fault(t, "no-expiration-params", false)

	clear(w.kept)
	w.confirm(t)(w.broker.Unlock())
	w.control(t, "/round?count=6")
	unlocked = w.unlocked
	_, err = pay(Amount{Count: 1})
	require.ErrorIs(t, err, pm.ErrSenderUnlocking)
	require.Equal(t, unlocked, w.unlocked)
}

// shop is a recipient that counts the tickets that it was sent, each time with params of
// another session, and answers as a test sets.
type shop struct {
	t      *testing.T
	grpc   *grpc.Server
	made   byte
	taken  int
	answer func(w http.ResponseWriter, post int) bool // true when it has answered
	posts  int
	spoil  func(*wire.OrchestratorInfo)
}

func newShop(t *testing.T) (*shop, *Session) {
	t.Helper()
	s := &shop{t: t, grpc: grpc.NewServer(), answer: func(http.ResponseWriter, int) bool { return false }, spoil: func(*wire.OrchestratorInfo) {}}
	wire.RegisterOrchestratorServer(s.grpc, orchestrator(func(context.Context, *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
		return s.info(), nil
	}))
	t.Cleanup(s.grpc.Stop)
	payer, _ := newPayer(t)
	return s, &Session{
		Payer:  payer,
		Client: &Client{Timeout: testTimeout},
		Kept:   inMemory{},
		Pins:   Pins{Known: knownInMemory{}, Sender: payer.Sender},
		URL:    serve(t, true, s),
		Unlock: func(context.Context) (signer.Source, error) { return me(t), nil },
	}
}

func (s *shop) info() *wire.OrchestratorInfo {
	s.made++
	info := goodInfo()
	info.TicketParams.RecipientRandHash = common.Hash{s.made}.Bytes()
	s.spoil(info)
	return info
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		s.grpc.ServeHTTP(w, r)
		return
	}
	payment, err := wire.DecodePaymentHeader(r.Header.Get("Livepeer-Payment"))
	if err != nil {
		s.t.Error(err)
		return
	}
	s.posts++
	s.taken += len(payment.TicketSenderParams)
	if s.answer(w, s.posts) {
		return
	}
	body, err := proto.Marshal(&wire.PaymentResult{Info: s.info()})
	if err != nil {
		s.t.Error(err)
	}
	_, _ = w.Write(body)
}

// A recipient that keeps the tickets and says that it took none gets no others.
func TestNoRefusalIsPaidTwice(t *testing.T) {
	for _, status := range []int{400, 402, 403, 404, 429, 500, 502, 503} {
		shop, session := newShop(t)
		_, err := session.Pay(t.Context(), amountOf(t, "3000gwei"))
		require.NoError(t, err)
		shop.answer = func(w http.ResponseWriter, _ int) bool {
			http.Error(w, "unknown session", status)
			return true
		}
		before := shop.taken
		_, err = session.Pay(t.Context(), amountOf(t, "3000gwei"))
		require.EqualValues(t, 3, shop.taken-before, "status %d", status)
		require.ErrorContains(t, err, "sent: 3 of ~1000", "status %d", status)
		require.Empty(t, session.Kept, "a new session is next")
	}
}

// Tickets that the recipient may have count towards the limit on several payments, also without a
// request; those that were never sent do not.
func TestRefusedTicketsCountTogether(t *testing.T) {
	shop, session := newShop(t)
	session.Payer.Together = new(policy.Sum)
	shop.answer = func(w http.ResponseWriter, _ int) bool {
		http.Error(w, "unknown session", http.StatusBadRequest)
		return true
	}
	for paid := uint64(3); paid <= 6; paid += 3 {
		_, err := session.Pay(t.Context(), Amount{Count: 3})
		require.ErrorIs(t, err, errSent)
		require.Equal(t, paid, session.Payer.Together.Tickets)
	}
	gone := unused(t, "https").String()
	shop.spoil = func(info *wire.OrchestratorInfo) { info.Transcoder = gone }
	_, err := session.Pay(t.Context(), Amount{Count: 3})
	require.ErrorIs(t, err, ErrUnreachable)
	require.EqualValues(t, 6, session.Payer.Together.Tickets)
}

// Params with a URL where nothing answers are not used again: nothing can have
// been sent there, and the recipient's own URL may know another one.
func TestKeptTranscoderIsGone(t *testing.T) {
	shop, session := newShop(t)
	_, err := session.Pay(t.Context(), Amount{Count: 1})
	require.NoError(t, err)
	for _, offer := range session.Kept.(inMemory) {
		offer.Transcoder = unused(t, "https")
	}
	payment, err := session.Pay(t.Context(), Amount{Count: 2})
	require.NoError(t, err)
	require.False(t, payment.Continued)
	require.Equal(t, 3, shop.taken)

	gone := unused(t, "https").String()
	shop.spoil = func(info *wire.OrchestratorInfo) { info.Transcoder = gone }
	clear(session.Kept.(inMemory))
	_, err = session.Pay(t.Context(), Amount{Count: 1})
	require.ErrorIs(t, err, ErrUnreachable)
	require.NotContains(t, err.Error(), "(sent: ")
	require.Empty(t, session.Kept)
	require.Equal(t, 3, shop.taken)
}

// Others may take the last nonces of a session while the user types a passphrase.
func TestKeptParamsAreUsedUpMeanwhile(t *testing.T) {
	shop, session := newShop(t)
	_, err := session.Pay(t.Context(), Amount{Count: 1})
	require.NoError(t, err)
	session.Unlock = func(ctx context.Context) (signer.Source, error) {
		for _, offer := range session.Kept.(inMemory) {
			session.Payer.Limits.MaxTotalEV = nil
			plan, err := session.Payer.Plan(ctx, offer.Params, Amount{Count: uint64(session.Payer.Limits.NonceCap) - 1})
			require.NoError(t, err)
			_, err = session.Payer.Reserve(ctx, plan)
			require.NoError(t, err)
		}
		return me(t), nil
	}
	payment, err := session.Pay(t.Context(), Amount{Count: 2})
	require.NoError(t, err)
	require.False(t, payment.Continued)
	require.Equal(t, pm.NonceRange{First: 1, Count: 2}, payment.Tickets.Nonces)
	require.Equal(t, 3, shop.taken)
}

// The auth token of kept params expires while the key is opened.
func TestAKeptTokenExpiresMeanwhile(t *testing.T) {
	shop, session := newShop(t)
	now := time.Now()
	session.Client.Now = func() time.Time { return now }
	shop.spoil = func(info *wire.OrchestratorInfo) { info.AuthToken.Expiration = now.Add(time.Hour).Unix() }
	_, err := session.Pay(t.Context(), Amount{Count: 1})
	require.NoError(t, err)
	session.Unlock = func(context.Context) (signer.Source, error) {
		now = now.Add(time.Hour)
		return me(t), nil
	}
	payment, err := session.Pay(t.Context(), Amount{Count: 2})
	require.NoError(t, err)
	require.False(t, payment.Continued)
	require.Equal(t, 3, shop.taken)
}

// Who is paid at a URL stays the same, unless the user says otherwise.
func TestTheRecipientOfAURLIsPinned(t *testing.T) {
	shop, session := newShop(t)
	honest, other := common.Address{0xaa}, common.Address{0xee}
	one := Amount{Count: 1}
	becomesOther := func(info *wire.OrchestratorInfo) { info.TicketParams.Recipient = other.Bytes() }

	// The answer to a payment has another recipient: the session ends there.
	shop.answer = func(http.ResponseWriter, int) bool {
		shop.spoil = becomesOther
		return false
	}
	payment, err := session.Pay(t.Context(), one)
	require.NoError(t, err)
	require.ErrorAs(t, payment.NextErr, new(*OtherRecipientError))
	require.Empty(t, session.Kept)

	// So do fresh params, before anything is reserved or signed for them.
	for range 2 {
		_, err = session.Pay(t.Context(), one)
		var changed *OtherRecipientError
		require.ErrorAs(t, err, &changed)
		require.Equal(t, honest, changed.Was)
		require.Equal(t, other, changed.Now)
		require.Contains(t, changed.Hint(), "--recipient "+other.Hex())
		require.Equal(t, 1, shop.taken)
	}

	// The user's word settles it, for the next payments too.
	session.Pins.Accept = []common.Address{other}
	_, err = session.Pay(t.Context(), one)
	require.NoError(t, err)
	session.Pins.Accept = nil
	payment, err = session.Pay(t.Context(), one)
	require.NoError(t, err)
	require.True(t, payment.Continued)
	require.Equal(t, 3, shop.taken)

	// Kept params of another recipient are not used.
	shop.spoil = func(*wire.OrchestratorInfo) {}
	shop.answer = func(http.ResponseWriter, int) bool { return false }
	session.Pins.Known = knownInMemory{session.Payer.Sender.Hex() + session.URL.String(): honest}
	payment, err = session.Pay(t.Context(), one)
	require.NoError(t, err)
	require.False(t, payment.Continued)
	require.Equal(t, honest, payment.Offer.Params.Recipient)
}

// A store that cannot keep the next params does not make a payment fail that was
// accepted.
func TestAcceptedThoughNothingWasKept(t *testing.T) {
	w := newWorld(t)
	w.confirm(t)(w.broker.FundDepositAndReserve(big.NewInt(1e18), big.NewInt(1e18)))
	w.session.Kept = forgetful{w.kept}
	payment, err := w.session.Pay(t.Context(), Amount{Count: 1})
	require.NoError(t, err)
	require.ErrorIs(t, payment.NextErr, errForgetful)
}

var errForgetful = errors.New("the disk is full")

type forgetful struct{ inMemory }

func (forgetful) Save(context.Context, *Offer) error { return errForgetful }

// A token that will not last gives way to the fresh one, and the session with it.
func TestStayWhileTheTokenHolds(t *testing.T) {
	paid, next := &Offer{Info: goodInfo()}, &Offer{Info: goodInfo()}
	next.Info.AuthToken.SessionId = "fresh"
	end := time.Unix(paid.Info.AuthToken.Expiration, 0)
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{end.Add(-2 * time.Minute), "session"},
		{end.Add(-time.Minute / 2), "fresh"},
	} {
		answered := &Offer{Info: proto.Clone(next.Info).(*wire.OrchestratorInfo)}
		(&Session{Client: &Client{Now: func() time.Time { return c.now }}}).stay(paid, answered)
		require.Equal(t, c.want, answered.Info.AuthToken.SessionId)
	}
}
