package store

import (
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

var (
	liveSender = common.Address{1}
	liveDay    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// liveRequest asks for a payment of so many tickets with the params of a session, without a
// state.
func liveRequest(session byte, tickets int64) LiveRequest {
	p := params(session)
	ev := new(big.Int).Quo(p.EV().Num(), p.EV().Denom()).Int64()
	return LiveRequest{
		Request: live.Request{
			Orchestrator: common.Address{0xbb}, Type: live.Pixels, InPixels: tickets, Price: live.Price{PerUnit: ev, Pixels: 1}, TicketEV: p.EV(), At: liveDay,
		},
		Info: fmt.Sprint("info ", session), Params: p, ManifestID: "m", Capabilities: []byte{1, 2}, Cap: 600,
		Expiration: pm.TicketExpirationParams{CreationRound: 7, CreationRoundBlockHash: common.Hash{8}},
		Usage: func(p *LivePayment, bill *live.Bill, before *live.Session) ([]byte, error) {
			return fmt.Appendf(nil, "%s %d %d %v", p.Session.StateID, p.Session.SequenceNumber, bill.Tickets, before == nil), nil
		},
	}
}

// with is the request with the state that a payment left.
func (r LiveRequest) with(p *LivePayment) LiveRequest {
	r.State = p.Session
	r.At = p.At.Add(time.Second)
	return r
}

func livePayments(s *Store) *LivePayments { return s.Chain(testChain).LivePayments(liveSender) }

func pay(t *testing.T, s *Store, r LiveRequest) *LivePayment {
	t.Helper()
	p, err := livePayments(s).Pay(t.Context(), r)
	require.NoError(t, err)
	return p
}

// requireAgain fails unless a payment was made before, and is returned as it was then.
func requireAgain(t *testing.T, want, got *LivePayment) {
	t.Helper()
	require.True(t, got.Again)
	same := *got
	same.Again = want.Again
	require.Equal(t, want, &same)
}

// spentTickets is how many tickets a sender has made on the day.
func spentTickets(t *testing.T, s *Store) uint64 {
	t.Helper()
	spent, err := s.Chain(testChain).Spending(t.Context(), liveSender, liveDay)
	require.NoError(t, err)
	return spent.All.Tickets
}

// requireSound fails for a store whose tables contradict each other.
func requireSound(t *testing.T, location string) {
	t.Helper()
	report, err := Check(t.Context(), location)
	require.NoError(t, err)
	require.Empty(t, report.Problems)
}

func TestLiveSessions(t *testing.T) { onEach(t, liveSessions) }

func liveSessions(t *testing.T, place place) {
	location := place(t)
	s := open(t, location)
	first := pay(t, s, liveRequest(1, 2))
	require.EqualValues(t, 1, first.Position)
	require.Equal(t, pm.NonceRange{First: 1, Count: 2}, first.Nonces)
	require.Equal(t, int64(-1), first.Asked)
	require.EqualValues(t, 0, first.Session.SequenceNumber)
	require.EqualValues(t, 2, first.Session.SenderNonce)
	require.Len(t, first.Session.StateID, 32)
	require.Equal(t, first.Session.StateID+" 0 2 true", string(first.Usage))

	second := pay(t, s, liveRequest(1, 3).with(first))
	require.Equal(t, pm.NonceRange{First: 3, Count: 3}, second.Nonces)
	require.Equal(t, first.Session.StateID, second.Session.StateID)
	require.EqualValues(t, 1, second.Session.SequenceNumber)
	require.EqualValues(t, 5, second.Session.SenderNonce)
	require.Equal(t, second.Session.StateID+" 1 3 false", string(second.Usage))

	// Another stream with the same params, and the same one with others.
	require.Equal(t, pm.NonceRange{First: 6, Count: 1}, pay(t, s, liveRequest(1, 1)).Nonces)
	other := pay(t, s, liveRequest(2, 1).with(second))
	require.Equal(t, pm.NonceRange{First: 1, Count: 1}, other.Nonces)
	require.EqualValues(t, 2, other.Session.SequenceNumber)
	require.EqualValues(t, 7, spentTickets(t, s))

	// Nothing of it is in memory alone.
	require.NoError(t, s.Close())
	s = open(t, location)
	requireAgain(t, other, pay(t, s, liveRequest(2, 1).with(second)))
	require.EqualValues(t, 5, pay(t, s, liveRequest(3, 1).with(other)).Position)
	requireSound(t, location)
}

// A request that comes again is answered as before, and nothing is spent.
func TestLiveRetries(t *testing.T) { onEach(t, liveRetries) }

func liveRetries(t *testing.T, place place) {
	location := place(t)
	s := open(t, location)
	first := pay(t, s, liveRequest(1, 1))
	second := pay(t, s, liveRequest(1, 1).with(first))
	for range 3 {
		again := liveRequest(1, 50).with(first)
		again.ManifestID = "another"
		requireAgain(t, second, pay(t, s, again))
	}
	require.EqualValues(t, 2, spentTickets(t, s))

	// The answer was lost, and the client has fetched other params.
	third := pay(t, s, liveRequest(2, 1).with(first))
	require.EqualValues(t, 2, third.Session.SequenceNumber, "it continues from what is recorded")
	requireAgain(t, third, pay(t, s, liveRequest(2, 1).with(first)))
	requireAgain(t, second, pay(t, s, liveRequest(1, 1).with(first)))

	// With a newer state the client has shown that it has the answers before.
	fourth := pay(t, s, liveRequest(3, 1).with(third))
	for _, old := range []*LivePayment{first, second} {
		_, err := livePayments(s).Pay(t.Context(), liveRequest(4, 1).with(old))
		require.ErrorIs(t, err, live.ErrStateOld)
	}
	requireAgain(t, second, pay(t, s, liveRequest(1, 1).with(first)))
	require.EqualValues(t, 4, spentTickets(t, s))
	require.EqualValues(t, 4, pay(t, s, liveRequest(3, 1).with(fourth)).Session.SequenceNumber)

	// A request that was refused has used up nothing.
	late := liveRequest(5, 1).with(fourth)
	late.Type, late.InPixels = "foo", 0
	_, err := livePayments(s).Pay(t.Context(), late)
	require.Error(t, err)
	requireSound(t, location)
}

func TestLiveKeys(t *testing.T) { onEach(t, liveKeys) }

func liveKeys(t *testing.T, place place) {
	s := open(t, place(t))
	ann, bob := addClient(t, s, "ann", Terms{}), addClient(t, s, "bob", Terms{})
	keyed := func(client string, session byte) LiveRequest {
		r := liveRequest(session, 1)
		r.Client, r.Key = client, "key"
		return r
	}
	first := pay(t, s, keyed(ann, 1))
	requireAgain(t, first, pay(t, s, keyed(ann, 1)))
	_, err := livePayments(s).Pay(t.Context(), keyed(ann, 2))
	require.Equal(t, http.StatusUnprocessableEntity, errorAs[live.Refusal](t, err).Status())
	require.False(t, pay(t, s, keyed(bob, 1)).Again, "keys are a client's own")
	require.EqualValues(t, 2, spentTickets(t, s))

	// With a state the key means nothing: the state tells one request from another.
	next := keyed(ann, 1).with(first)
	require.EqualValues(t, 1, pay(t, s, next).Session.SequenceNumber)
}

// A state that another signer of the key has signed is taken over, with its nonces.
func TestLiveTakeover(t *testing.T) { onEach(t, liveTakeover) }

func liveTakeover(t *testing.T, place place) {
	location := place(t)
	s := open(t, location)
	reserve(t, s, params(1), 3)
	r := liveRequest(1, 1)
	state := &live.Session{
		StateID: "1a6491ca", PMSessionID: r.Params.RecipientRandHash, SenderNonce: 10, LastUpdate: liveDay.Add(-time.Minute),
		OrchestratorAddress: r.Orchestrator, Balance: big.NewRat(-5, 3), SequenceNumber: 4,
		InitialPricePerUnit: r.Price.PerUnit, InitialPixelsPerUnit: 1,
	}
	r.State = state
	taken := pay(t, s, r)
	require.EqualValues(t, 11, taken.Nonces.First, "10 were used")
	require.EqualValues(t, 2, taken.Nonces.Count, "the debt is paid too")
	require.EqualValues(t, 5, taken.Session.SequenceNumber)
	require.Equal(t, "1a6491ca", taken.Session.StateID)
	requireAgain(t, taken, pay(t, s, r))

	// From then on the store has the session, unless the other signer continues it.
	old := *state
	old.SequenceNumber = 3
	stale := r
	stale.State = &old
	_, err := livePayments(s).Pay(t.Context(), stale)
	require.ErrorIs(t, err, live.ErrStateOld)
	newer := *taken.Session
	newer.SequenceNumber, newer.SenderNonce, newer.Balance = 9, 8, new(big.Rat).Neg(r.TicketEV)
	ahead := r
	ahead.State = &newer
	continued := pay(t, s, ahead)
	require.EqualValues(t, 13, continued.Nonces.First, "the higher of both counts")
	require.EqualValues(t, 2, continued.Nonces.Count, "the newer balance counts")
	require.EqualValues(t, 10, continued.Session.SequenceNumber)

	// What pmctl has signed is in the store that was asked then.
	foreign := *taken.Session
	foreign.StateID = NewStateID()
	unknown := r
	unknown.State = &foreign
	_, err = livePayments(s).Pay(t.Context(), unknown)
	require.ErrorIs(t, err, live.ErrStateUnknown)
	requireSound(t, location)
}

// TestLiveTakeoverByAClient: the other signer's name for who asks is another one than the client's, and the
// session is the client's from then on.
func TestLiveTakeoverByAClient(t *testing.T) { onEach(t, liveTakeoverByAClient) }

func liveTakeoverByAClient(t *testing.T, place place) {
	s := open(t, place(t))
	r := liveRequest(1, 1)
	r.State = &live.Session{
		StateID: "1a6491ca", LastUpdate: liveDay, OrchestratorAddress: r.Orchestrator, SequenceNumber: 4,
		InitialPricePerUnit: r.Price.PerUnit, InitialPixelsPerUnit: 1, AuthID: "tenant-1:ann",
	}
	r.Client, r.Auth.ID = addClient(t, s, "ann", Terms{}), "ann"
	taken := pay(t, s, r)
	require.Equal(t, "ann", taken.Session.AuthID)
	requireAgain(t, taken, pay(t, s, r))

	other := liveRequest(2, 1).with(taken)
	other.Client, other.Auth.ID = r.Client, "ann:user"
	_, err := livePayments(s).Pay(t.Context(), other)
	require.ErrorIs(t, err, live.ErrAuthID)
	other.Client, other.Auth.ID = addClient(t, s, "bob", Terms{}), "bob"
	_, err = livePayments(s).Pay(t.Context(), other)
	require.Equal(t, ClientSession, errorAs[*ClientError](t, err).Reason)

	// Where both signers have a name for who asks, that must be the state's.
	r.State = &live.Session{
		StateID: "1a6491cc", LastUpdate: liveDay, OrchestratorAddress: r.Orchestrator,
		InitialPricePerUnit: r.Price.PerUnit, InitialPixelsPerUnit: 1, AuthID: "tenant-1:ann",
	}
	r.Auth.Alias = "tenant-1:eve"
	_, err = livePayments(s).Pay(t.Context(), r)
	require.ErrorIs(t, err, live.ErrAuthID)
	r.Auth.Alias = "tenant-1:ann"
	require.Equal(t, "ann", pay(t, s, r).Session.AuthID)

	// A webhook's permission that still holds has no name with it.
	r.State = &live.Session{
		StateID: "1a6491cb", LastUpdate: liveDay, OrchestratorAddress: r.Orchestrator,
		InitialPricePerUnit: r.Price.PerUnit, InitialPixelsPerUnit: 1, AuthID: "tenant-1:ann",
	}
	r.Auth.ID = ""
	require.Equal(t, "tenant-1:ann", pay(t, s, r).Session.AuthID)
}

func addClient(t *testing.T, s *Store, name string, terms Terms) (id string) {
	t.Helper()
	client, err := s.Clients().Add(t.Context(), Client{Name: name, Terms: terms}, Credential{"token", "hash of " + name})
	require.NoError(t, err)
	return client.ID
}

// worth is the EV of a number of tickets, rounded up to a wei.
func worth(t testing.TB, tickets int64) *wei.Wei {
	t.Helper()
	w, err := wei.Ceil(new(big.Rat).Mul(params(1).EV(), big.NewRat(tickets, 1)))
	require.NoError(t, err)
	return &w
}

// Each limit of a client holds to the ticket, whatever others spend.
func TestClientBounds(t *testing.T) { onEach(t, clientBounds) }

func clientBounds(t *testing.T, place place) {
	s := open(t, place(t))
	all := []LiveRequest{}
	ask := func(client string, change func(*LiveRequest)) error {
		r := liveRequest(byte(len(all)), 1)
		r.Client = client
		if change != nil {
			change(&r)
		}
		all = append(all, r)
		_, err := livePayments(s).Pay(t.Context(), r)
		return err
	}
	refusedWith := func(err error, status int) {
		t.Helper()
		var refusal live.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, status, refusal.Status(), refusal.Error())
	}
	tomorrow := func(r *LiveRequest) { r.At = r.At.AddDate(0, 0, 1) }
	faceValue, err := wei.FromBig(new(big.Int).Mul(params(1).FaceValue, big.NewInt(2)))
	require.NoError(t, err)

	for name, terms := range map[string]Terms{
		string(AllowEVPerDay):        {EVPerDay: worth(t, 2)},
		string(AllowFaceValuePerDay): {FaceValuePerDay: &faceValue},
	} {
		id := addClient(t, s, name, terms)
		require.NoError(t, ask(id, nil))
		require.NoError(t, ask(id, nil))
		err := ask(id, nil)
		require.Equal(t, name, string(errorAs[*AllowanceError](t, err).Allowance))
		refusedWith(err, StatusAllowance)
		require.NoError(t, ask(id, tomorrow))
	}
	total := addClient(t, s, "total", Terms{EVTotal: worth(t, 3)})
	require.NoError(t, ask(total, nil))
	require.NoError(t, ask(total, tomorrow))
	require.Equal(t, AllowEVTotal, errorAs[*AllowanceError](t, ask(total, func(r *LiveRequest) { r.InPixels = 2 })).Allowance)
	require.NoError(t, ask(total, nil))
	require.Equal(t, AllowEVTotal, errorAs[*AllowanceError](t, ask(total, tomorrow)).Allowance)
	spent, err := s.LiveUsage().Spent(t.Context(), total, liveDay)
	require.NoError(t, err)
	require.EqualValues(t, 2, spent.Today.Tickets)
	require.EqualValues(t, 3, spent.Total.Tickets)

	bound := addClient(t, s, "bound", Terms{
		Recipients: []common.Address{params(1).Recipient}, Apps: []string{"echo/live"},
		MaxPrices: live.MaxPrices{"fixed": big.NewRat(7, 2)},
	})
	fixed := func(price int64) func(*LiveRequest) {
		return func(r *LiveRequest) {
			r.App, r.Type, r.Price = "echo/live", live.Fixed, live.Price{PerUnit: price, Pixels: 2}
		}
	}
	require.NoError(t, ask(bound, fixed(7)))
	err = ask(bound, fixed(8))
	require.EqualError(t, err, "orchestrator price 4.000 exceeds client maximum price ceiling 3.500")
	refusedWith(err, live.StatusPrice)
	refusedWith(ask(bound, func(r *LiveRequest) {
		fixed(7)(r)
		r.Type = live.Pixels // a highest price is none if another unit gets around it
	}), 403)
	refusedWith(ask(bound, func(r *LiveRequest) { r.App = "echo" }), 403)
	refusedWith(ask(bound, func(r *LiveRequest) {
		fixed(1)(r)
		r.Params.Recipient = common.Address{3}
	}), 403)
	require.ErrorIs(t, ask("no such", nil), ErrNoClient)

	// A session is the client's that began it.
	other := addClient(t, s, "other", Terms{})
	mine := liveRequest(200, 1)
	mine.Client = other
	first := pay(t, s, mine)
	theirs := mine.with(first)
	for _, client := range []string{"", total} {
		theirs.Client = client
		_, err := livePayments(s).Pay(t.Context(), theirs)
		refusedWith(err, 403)
	}

	for reason, change := range map[ClientReason]func(*Client) error{
		ClientExpired: func(c *Client) error { c.ExpiresAt, c.RevokedAt = liveDay, time.Time{}; return nil },
		ClientRevoked: func(c *Client) error { c.RevokedAt, c.ExpiresAt = liveDay.Add(-time.Second), time.Time{}; return nil },
	} {
		require.NoError(t, s.Clients().Change(t.Context(), "other", change))
		_, err := livePayments(s).Pay(t.Context(), mine.with(first))
		require.Equal(t, reason, errorAs[*ClientError](t, err).Reason)
		refusedWith(err, 401)
	}
}

// The tickets of a client are the client's in the ledger.
func TestWhoseTicketsTheyAre(t *testing.T) {
	s := open(t, newFile(t))
	r := liveRequest(1, 2)
	r.Client = addClient(t, s, "ann", Terms{})
	paid := pay(t, s, r)
	reserve(t, s, params(1), 1)
	of := func(nonce uint32) string {
		found, err := s.Chain(testChain).ReservationOf(t.Context(), liveSender, paid.RecipientRandHash, nonce)
		require.NoError(t, err)
		return found.Client
	}
	require.Equal(t, r.Client, of(2))
	require.Empty(t, of(3))
}

// Refused requests leave the others of a transaction alone, and no trace.
func TestRefusedLiveRequests(t *testing.T) { onEach(t, refusedLiveRequests) }

func refusedLiveRequests(t *testing.T, place place) {
	location := place(t)
	s := open(t, location)
	poor := addClient(t, s, "poor", Terms{EVTotal: worth(t, 1)})
	first := pay(t, s, liveRequest(1, 1))
	before := counts(t, location)

	limits, err := limitsOf(policy.EVPerDay, 4)
	require.NoError(t, err)
	budget := func(r LiveRequest) LiveRequest {
		r.Allow = func(_ *live.Bill, asked policy.Sum, spent policy.Spending) error {
			return limits.CheckBudget(r.Params.Recipient, asked, spent)
		}
		return r
	}
	of := func(client string, r LiveRequest) LiveRequest { r.Client = client; return r }
	late := liveRequest(2, 1)
	late.Usage = func(*LivePayment, *live.Bill, *live.Session) ([]byte, error) { return nil, live.ErrRefresh }
	usedUp := liveRequest(1, 5)
	usedUp.Cap = 4
	wrong := liveRequest(1, 1)
	wrong.Params = params(1)
	wrong.Params.FaceValue = big.NewInt(-1)
	bare := liveRequest(1, 1)
	bare.Params = nil
	mute := liveRequest(2, 1)
	mute.Usage = func(*LivePayment, *live.Bill, *live.Session) ([]byte, error) { return nil, errors.New("no event") }
	refused := []LiveRequest{late, usedUp, wrong, bare, mute, of(poor, liveRequest(4, 2)), budget(liveRequest(5, 4)), liveRequest(6, 101), liveRequest(7, 0)}
	outcomes, err := livePayments(s).PayAll(t.Context(), refused)
	require.NoError(t, err)
	for i, o := range outcomes {
		require.Error(t, o.Err, i)
		require.Nil(t, o.Payment)
	}
	require.ErrorAs(t, outcomes[1].Err, new(*pm.NonceCapError))
	require.ErrorIs(t, outcomes[6].Err, policy.ErrLimit)
	require.Equal(t, before, counts(t, location))

	// Among others, each is what it would be alone, after those before it.
	mixed := []LiveRequest{late, liveRequest(1, 1).with(first), liveRequest(1, 1).with(first), usedUp, of(poor, liveRequest(1, 1)), of(poor, liveRequest(1, 1)), budget(liveRequest(1, 1)), budget(liveRequest(1, 1))}
	outcomes, err = livePayments(s).PayAll(t.Context(), mixed)
	require.NoError(t, err)
	for i, ok := range []bool{false, true, true, false, true, false, true, false} {
		require.Equal(t, ok, outcomes[i].Err == nil, "%d: %v", i, outcomes[i].Err)
	}
	requireAgain(t, outcomes[1].Payment, outcomes[2].Payment)
	require.Equal(t, pm.NonceRange{First: 3, Count: 1}, outcomes[4].Payment.Nonces)
	require.Equal(t, pm.NonceRange{First: 4, Count: 1}, outcomes[6].Payment.Nonces)
	require.EqualValues(t, 4, spentTickets(t, s))
	requireSound(t, location)
}

// counts are how many rows the tables have, but for those that count changes.
func counts(t *testing.T, location string) map[string]int64 {
	t.Helper()
	report, err := Check(t.Context(), location)
	require.NoError(t, err)
	return report.Counts
}

// A restored store takes no state for new that it may have answered, and counts no allowance
// as unspent, until that is acknowledged.
func TestLivePaymentsOfARestoredStore(t *testing.T) {
	s := restoredFile(t)
	poor := addClient(t, s, "poor", Terms{EVTotal: worth(t, 5)})
	first := pay(t, s, liveRequest(50, 1))
	taken, lost, keyed, bounded := liveRequest(51, 1).with(first), liveRequest(51, 1).with(first), liveRequest(51, 1), liveRequest(51, 1)
	taken.State = &live.Session{StateID: "1a6491ca", OrchestratorAddress: taken.Orchestrator, InitialPricePerUnit: taken.Price.PerUnit, InitialPixelsPerUnit: 1}
	unknown := *first.Session
	unknown.StateID = NewStateID()
	lost.State = &unknown
	keyed.Key = "key"
	bounded.Client = poor
	all := []LiveRequest{taken, lost, keyed, bounded}
	outcomes, err := livePayments(s).PayAll(t.Context(), all)
	require.NoError(t, err)
	for i, o := range outcomes {
		require.ErrorAs(t, o.Err, new(*UnacknowledgedError), i)
	}
	shown, err := s.Restored(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Acknowledge(t.Context(), *shown))
	outcomes, err = livePayments(s).PayAll(t.Context(), all)
	require.NoError(t, err)
	for i, o := range outcomes {
		if i == 1 {
			require.ErrorIs(t, o.Err, live.ErrStateUnknown)
			continue
		}
		require.NoError(t, o.Err, i)
	}
}

// A session whose last payment is missing is damage, and not a new session.
func TestALostLivePaymentIsDamage(t *testing.T) { onEach(t, aLostLivePaymentIsDamage) }

func aLostLivePaymentIsDamage(t *testing.T, place place) {
	s := open(t, place(t))
	first := pay(t, s, liveRequest(1, 1))
	change(t, s, `DELETE FROM signer_payments`)
	_, err := livePayments(s).Pay(t.Context(), liveRequest(1, 1).with(first))
	require.ErrorIs(t, err, ErrDamaged)
	require.False(t, errors.As(err, new(live.Refusal)))
}

// A count of nonces that was set back is damage here too, and so is one that is ahead.
func TestALiveCountThatWasSetBack(t *testing.T) { onEach(t, aLiveCountThatWasSetBack) }

func aLiveCountThatWasSetBack(t *testing.T, place place) {
	s := open(t, place(t))
	first := pay(t, s, liveRequest(1, 2))
	for _, used := range []int{1, 3} {
		change(t, s, `UPDATE sessions SET used_nonces = $1`, used)
		_, err := livePayments(s).Pay(t.Context(), liveRequest(1, 1).with(first))
		require.ErrorIs(t, err, ErrDamaged, used)
	}
}
