package call

import (
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestARetryUnderStricterTerms sends no payment that an earlier run recorded under others.
func TestARetryUnderStricterTerms(t *testing.T) {
	caller, account, r, _ := captured(t)
	account.Request = &store.Request{ID: "job-17", Digest: echoed(t).Digest()}
	r.losesAnswer = true
	_, err := caller.Call(t.Context(), echoed(t))
	require.ErrorAs(t, err, new(*pay.UnknownOutcomeError))
	sent := len(r.seen)

	for _, price := range []Price{{big.NewRat(499e9, 1), live.Fixed}, {big.NewRat(1e18, 1), live.Seconds}} {
		caller.Terms = Terms{MaxPrice: &price}
		_, err = caller.Call(t.Context(), echoed(t))
		require.ErrorIs(t, err, policy.ErrLimit, price)
		require.Len(t, r.seen, sent)
	}
	caller.Terms = Terms{MaxPrice: &Price{big.NewRat(500e9, 1), live.Fixed}}
	_, err = caller.Call(t.Context(), echoed(t))
	require.ErrorAs(t, err, new(*pay.UnknownOutcomeError))
	require.Len(t, r.seen, sent+1)
}

// TestASessionContinuedUnderStricterTerms stops before a payment that an earlier run recorded, and was
// killed before it sent it.
func TestASessionContinuedUnderStricterTerms(t *testing.T) {
	caller, account, r, clock := captured(t)
	ask := request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session")
	account.Request = &store.Request{ID: "job-17", Digest: ask.Digest()}
	go clock.Tick(t.Context(), 0)
	result, err := caller.Hold(t.Context(), ask, SessionOptions{For: time.Second})
	require.NoError(t, err)
	first, err := account.Recorded(t.Context(), 0)
	require.NoError(t, err)
	clock.end(make(chan time.Time, 1), betweenPayments)
	due, err := caller.due(result.Challenge, 1, first.Session, result.Paid)
	require.NoError(t, err)
	_, err = account.Pay(t.Context(), *due)
	require.NoError(t, err)

	r.seen = nil
	caller.After = clock.Past
	paid, err := wei.Ceil(result.Paid)
	require.NoError(t, err)
	caller.Terms.MaxCost = &paid
	_, err = caller.Hold(t.Context(), ask, SessionOptions{For: time.Second})
	require.ErrorContains(t, err, "would exceed --max-cost")
	require.Equal(t, []string{"lv1: stop"}, r.seen)
}
