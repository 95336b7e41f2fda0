package pay

import (
	"context"
	"math/big"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// result is what a payment returned.
type result struct {
	payment *Payment
	err     error
}

// start pays with a request in a process of its own, as far as a store can tell: the
// key is opened when open is closed.
func start(t *testing.T, s Session, open <-chan struct{}) <-chan result {
	t.Helper()
	asked, done := make(chan struct{}), make(chan result, 1)
	s.Kept = inMemory{}
	s.Unlock = func(context.Context) (signer.Source, error) {
		close(asked)
		<-open
		return me(t), nil
	}
	go func() {
		payment, err := s.Pay(context.Background(), Amount{Count: 3})
		done <- result{payment, err}
	}()
	<-asked
	return done
}

// reserved is a shop with a session whose request has tickets that were never sent, as a
// run leaves it that was killed. The shop accepts tickets once; a delivery is held while
// held can be received from.
func reserved(t *testing.T) (shop *shop, s *Session, listener *moody, held chan chan struct{}) {
	t.Helper()
	shop, s = newShop(t)
	held = make(chan chan struct{})
	var mu sync.Mutex
	taken := 0
	shop.answer = func(w http.ResponseWriter, _ int) bool {
		mu.Lock()
		taken++
		first := taken == 1
		mu.Unlock()
		if !first {
			http.Error(w, "nonce was seen before", http.StatusBadRequest)
			return true
		}
		release := make(chan struct{})
		held <- release
		<-release
		return false
	}
	s.URL, listener = serveMoody(t, true, shop)
	s.Request, s.Requests = &store.Request{ID: "one", Digest: "digest"}, s.Payer.Nonces.(*store.Chain)
	offer, err := s.Client.Fetch(t.Context(), s.URL, signedRequest(t))
	require.NoError(t, err)
	plan, err := s.Payer.Plan(t.Context(), offer.Params, Amount{Count: 3})
	require.NoError(t, err)
	segment, err := SegmentHeader(t.Context(), me(t), offer.Info.GetAuthToken(), s.Client.now())
	require.NoError(t, err)
	plan.Request, err = (&paymentRun{Session: s, amount: Amount{Count: 3}, request: s.Request}).requestFor(offer, plan, segment, false)
	require.NoError(t, err)
	_, err = s.Payer.Reserve(t.Context(), plan)
	require.NoError(t, err)
	return shop, s, listener, held
}

// Of two processes on one request one delivers, and the other, which cannot connect, does
// not have the request made anew.
func TestWhoCannotConnectReleasesNothing(t *testing.T) {
	shop, s, listener, held := reserved(t)
	open, typed := make(chan struct{}), make(chan struct{})
	close(open)
	b := start(t, *s, typed) // it has read the request, and waits for a passphrase
	a := start(t, *s, open)
	release := <-held // the recipient has the tickets of a
	listener.out.Store(true)
	close(typed)
	require.Error(t, (<-b).err)
	listener.out.Store(false)
	close(release)
	require.NoError(t, (<-a).err)

	paid, err := once(t, *s)
	require.Equal(t, 3, shop.taken, "one set of tickets for one request")
	require.NoError(t, err)
	require.Equal(t, store.Accepted, paid.Before.State)
}

// A process has read tickets as one delivery. Another splits them, and has only the first part
// accepted: that is not the payment.
func TestAPartIsNotTheWhole(t *testing.T) {
	shop, s, _, _ := reserved(t)
	shop.answer = func(_ http.ResponseWriter, post int) bool {
		if post == 2 {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	typed := make(chan struct{})
	b := start(t, *s, typed)
	s.Client.Headers = &HeaderLimits{Asked: 1} // a ticket a delivery
	_, err := once(t, *s)
	require.ErrorAs(t, err, new(*UnknownOutcomeError))
	require.Equal(t, 2, shop.taken)

	close(typed)
	require.ErrorIs(t, (<-b).err, ErrInProgress)
	require.Equal(t, 2, shop.taken)
}

// once pays with a request in a process of its own, to its end.
func once(t *testing.T, s Session) (*Payment, error) {
	t.Helper()
	s.Kept = inMemory{}
	s.Unlock = func(context.Context) (signer.Source, error) { return me(t), nil }
	return s.Pay(t.Context(), Amount{Count: 3})
}

// A refusal of what another process has under way is not what became of the request.
func TestARefusedReplayIsNotBooked(t *testing.T) {
	_, s, _, held := reserved(t)
	open, typed := make(chan struct{}), make(chan struct{})
	close(open)
	b := start(t, *s, typed)
	a := start(t, *s, open)
	release := <-held
	close(typed)
	require.Error(t, (<-b).err)
	_, err := once(t, *s) // while a is still under way
	require.NotErrorAs(t, err, new(*RefusedBeforeError))
	require.ErrorAs(t, err, new(*UnknownOutcomeError))
	close(release)
	require.NoError(t, (<-a).err)
	paid, err := once(t, *s)
	require.NoError(t, err)
	require.Equal(t, store.Accepted, paid.Before.State)
}

// Of a payment in parts one was sent and not answered, and has expired: the rest is paid with
// fresh params, once, and the one is reported.
func TestTheRestIsPaidBesideWhatExpired(t *testing.T) {
	shop, s := newShop(t)
	s.Request, s.Requests = &store.Request{ID: "one", Digest: "digest"}, s.Payer.Nonces.(*store.Chain)
	s.Client.Headers = &HeaderLimits{Asked: 1} // a ticket a delivery
	shop.answer = func(_ http.ResponseWriter, post int) bool {
		if post == 2 {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	_, err := s.Pay(t.Context(), Amount{Count: 4})
	require.ErrorAs(t, err, new(*UnknownOutcomeError))
	require.Equal(t, 2, shop.taken)

	s.Payer.Chain.(*chainAt).facts.LastSeenL1Block = big.NewInt(139)
	_, err = s.Pay(t.Context(), Amount{Count: 4})
	require.ErrorAs(t, err, new(*UnknownOutcomeError), "what is not known comes before what cannot be paid")
	require.ErrorIs(t, err, policy.ErrUnacceptable, "the recipient's params are expired too")
	require.Equal(t, 2, shop.taken)

	shop.spoil = func(info *wire.OrchestratorInfo) { info.TicketParams.ExpirationBlock = big.NewInt(180).Bytes() }
	for range 2 {
		_, err = s.Pay(t.Context(), Amount{Count: 4})
		var unknown *UnknownOutcomeError
		require.ErrorAs(t, err, &unknown)
		require.True(t, unknown.Over)
		var partial *PartialError
		require.ErrorAs(t, err, &partial)
		require.EqualValues(t, 3, partial.Paid.Tickets)
		require.Equal(t, 4, shop.taken)
	}
}

// TestARefusedPartIsNotTheWhole is TestAPartIsNotTheWhole where the recipient refuses the second part:
// the other process neither sends anything nor takes the refusal, or the accepted part, for the payment.
func TestARefusedPartIsNotTheWhole(t *testing.T) {
	shop, s, _, _ := reserved(t)
	shop.answer = func(w http.ResponseWriter, post int) bool {
		if post == 2 {
			http.Error(w, "no", http.StatusBadRequest)
		}
		return post == 2
	}
	typed := make(chan struct{})
	b := start(t, *s, typed)
	s.Client.Headers = &HeaderLimits{Asked: 1} // a ticket a delivery
	_, err := once(t, *s)
	require.ErrorAs(t, err, new(*RefusedError))
	require.ErrorContains(t, err, "1 other ticket of the payment, worth ~1000 gwei, was accepted")
	require.Equal(t, 2, shop.taken)

	close(typed)
	require.ErrorIs(t, (<-b).err, ErrInProgress)
	require.Equal(t, 2, shop.taken)
	_, err = once(t, *s)
	require.ErrorAs(t, err, new(*RefusedBeforeError))
	require.ErrorContains(t, err, "was accepted")
	require.Equal(t, 2, shop.taken)
}

// TestASplitDeliveryIsRefusedInPart: while a recipient has the tickets, another process splits them and
// has the first part accepted. The recipient then refuses the tickets together: the payment is neither
// accepted nor refused.
func TestASplitDeliveryIsRefusedInPart(t *testing.T) {
	shop, s, _, held := reserved(t)
	hold := shop.answer
	shop.answer = func(w http.ResponseWriter, post int) bool {
		switch post {
		case 1:
			hold(w, post)
			http.Error(w, "no", http.StatusBadRequest)
			return true
		case 3:
			panic(http.ErrAbortHandler)
		}
		return false
	}
	open := make(chan struct{})
	close(open)
	b := start(t, *s, open)
	release := <-held
	a, client := *s, *s.Client
	client.Headers = &HeaderLimits{Asked: 1} // a ticket a delivery
	a.Client = &client
	_, err := once(t, a)
	require.ErrorAs(t, err, new(*UnknownOutcomeError))
	close(release)
	result := <-b
	require.ErrorAs(t, result.err, new(*UnknownOutcomeError))
	require.Nil(t, result.payment)
}
