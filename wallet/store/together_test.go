package store

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
)

// Each of several spends has the result that it would have alone, after those before it.
func TestSpendsTogether(t *testing.T) { onEach(t, spendsTogether) }

func spendsTogether(t *testing.T, place place) {
	s := open(t, place(t))
	c := s.Chain(testChain)
	limits, err := limitsOf(policy.EVPerDay, 10)
	require.NoError(t, err)
	spend := func(session byte, count uint32) Spend {
		return Spend{Sender: common.Address{1}, Params: params(session), Count: count, Cap: 6, Allow: limits.CheckBudget, At: testDay}
	}
	request := &Request{ID: "one", Digest: "d", Record: []byte("r")}
	named := spend(3, 1)
	named.Request = request

	outcomes, err := c.ReserveAll(t.Context(), []Spend{
		spend(1, 2),
		spend(1, 3), // of the same session
		spend(1, 2), // more than it has left
		spend(2, 0), // none
		named,
		named,       // the same request again
		spend(2, 5), // more than the budget has left
		spend(2, 4), // all that it has
		spend(2, 1),
	})
	require.NoError(t, err)
	for i, want := range []pm.NonceRange{0: {First: 1, Count: 2}, 1: {First: 3, Count: 3}, 4: {First: 1, Count: 1}, 5: {First: 1, Count: 1}, 7: {First: 1, Count: 4}} {
		if want.Count > 0 {
			require.NoError(t, outcomes[i].Err, i)
			require.Equal(t, want, outcomes[i].Made.Nonces, i)
		}
	}
	require.Nil(t, outcomes[4].Made.Before)
	require.NotNil(t, outcomes[5].Made.Before, "it was made earlier")
	var cap *pm.NonceCapError
	require.ErrorAs(t, outcomes[2].Err, &cap)
	require.EqualValues(t, 5, cap.Used)
	require.ErrorIs(t, outcomes[3].Err, pm.ErrTicketCount)
	require.ErrorIs(t, outcomes[6].Err, policy.ErrLimit)
	require.ErrorIs(t, outcomes[8].Err, policy.ErrLimit)

	requireUsed := func(session byte, want uint32) {
		t.Helper()
		used, err := c.UsedNonces(t.Context(), params(session).RecipientRandHash)
		require.NoError(t, err)
		require.Equal(t, want, used, session)
	}
	requireUsed(1, 5)
	requireUsed(2, 4)
	requireUsed(3, 1)
	spent, err := c.Spending(t.Context(), common.Address{1}, testDay)
	require.NoError(t, err)
	require.Equal(t, policy.Cost(10, params(1).EV(), params(1).FaceValue), spent.All)

	// Nothing is taken if the call is cancelled, or if every spend is refused.
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.ReserveAll(cancelled, []Spend{spend(4, 1)})
	require.ErrorIs(t, err, context.Canceled)
	outcomes, err = c.ReserveAll(t.Context(), []Spend{spend(4, 1), spend(5, 1)})
	require.NoError(t, err)
	require.ErrorIs(t, outcomes[0].Err, policy.ErrLimit)
	require.ErrorIs(t, outcomes[1].Err, policy.ErrLimit)
	requireUsed(4, 0)
	requireUsed(5, 0)
}
