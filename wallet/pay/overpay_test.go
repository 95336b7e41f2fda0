package pay

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestOverpayingIsBounded: a plan exceeds the value by at most what is allowed, and what its
// refusal proposes is then accepted.
func TestOverpayingIsBounded(t *testing.T) {
	payer, _ := newPayer(t)
	params := goodParams(t)
	rapid.Check(t, func(rt *rapid.T) {
		asked := wei.FromUint64(rapid.Uint64Range(1, 8e12).Draw(rt, "value"))
		most := wei.FromUint64(rapid.OneOf(rapid.Uint64Range(0, 10), rapid.Uint64Range(1, 2e12)).Draw(rt, "most"))
		plan, err := payer.Propose(t.Context(), params, Amount{Value: asked, MaxOverpay: &most})
		if err == nil {
			require.LessOrEqual(t, plan.Overpays.Cmp(most.Rat()), 0)
			require.Zero(t, new(big.Rat).Sub(plan.TotalEV, asked.Rat()).Cmp(plan.Overpays))
			return
		}
		require.ErrorIs(t, err, errOverpays)
		require.ErrorIs(t, err, policy.ErrLimit)
		next, _ := hint.Of(err)
		words := strings.SplitN(next, ",", 3)
		value, bound, isBound := strings.Cut(strings.TrimPrefix(words[0], "pay "), " with --max-overpay ")
		proposed, err := wei.Parse(value)
		require.NoError(t, err)
		if isBound {
			require.True(t, most.IsZero(), "the user's bound would do")
			most, err = wei.Parse(bound)
			require.NoError(t, err)
		}
		plan, err = payer.Propose(t.Context(), params, Amount{Value: proposed, MaxOverpay: &most})
		require.NoError(t, err)
		require.Contains(t, words[1], fmt.Sprintf(" which is %d ticket", plan.Count))
	})
}
