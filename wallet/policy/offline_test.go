package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestOfflineIsRefusedByName: a binding limit that needs the chain rules tickets out that
// are not held against it.
func TestOfflineIsRefusedByName(t *testing.T) {
	age := 20 * time.Second
	for name, c := range map[string]struct {
		rules            Rules
		refused, changes string
	}{
		"nothing":           {},
		"what needs none":   {rules: Rules{Values: Values{MaxTicketEV: gweis(1), MaxFee: gweis(1), EVPerDay: gweis(1)}, Binding: true}},
		"flags":             {rules: Rules{Values: Values{DepositMultiplier: Count(3), MaxHeadAge: Age(age)}}},
		"multiplier":        {Rules{Values: Values{DepositMultiplier: Count(3)}, Binding: true}, "the deposit must hold 3 face values (deposit-multiplier in a file)", "change deposit-multiplier in a file"},
		"the default's own": {Rules{Values: Values{DepositMultiplier: Count(1)}, Binding: true}, "the deposit must hold 1 face value (deposit-multiplier in a file)", "change deposit-multiplier in a file"},
		"head age":          {Rules{Values: Values{MaxHeadAge: Age(age)}, Binding: true}, "facts about the chain may be 20s old (max-head-age in a file)", "change max-head-age in a file"},
	} {
		t.Run(name, func(t *testing.T) {
			c.rules.Where = in("a file")
			limits, err := Default().With(c.rules)
			require.NoError(t, err)
			err = limits.CheckOffline()
			if c.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrLimit)
			require.EqualError(t, err, "a limit requires asking the chain: "+c.refused)
			var refusal *Refusal
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, "omit --offline, or "+c.changes, refusal.Hint())
		})
	}
}

// TestBoundLimits: what an agent was started with binds its clients.
func TestBoundLimits(t *testing.T) {
	limits, err := Default().With(Rules{Values: Values{MaxTicketEV: gweis(100), DepositMultiplier: Count(3)}, Where: Setting.Flag})
	require.NoError(t, err)
	require.NoError(t, limits.CheckOffline())
	bound := limits.Bound("the agent")
	require.ErrorIs(t, bound.CheckOffline(), ErrLimit)
	require.NoError(t, limits.CheckOffline(), "the limits before stay as they were")
	_, err = bound.With(Rules{Values: Values{MaxTicketEV: gweis(101)}, Where: Setting.Flag})
	require.ErrorContains(t, err, "would loosen the limit of 100 gwei that --max-ticket-ev of the agent sets")
	require.Equal(t, "the default of the agent", bound.Where(MaxTotalEV))
	require.Equal(t, "--max-total-ev of the agent", bound.Knob(MaxTotalEV))
	require.Equal(t, "change --max-ticket-ev of the agent", bound.allow(MaxTicketEV))

	unplaced := limits.Unplaced().Bound("the signer")
	require.Equal(t, "limits.max_ticket_ev of the signer", unplaced.Where(MaxTicketEV))
	require.Equal(t, "the default of the signer", unplaced.Where(MaxTotalEV))
}
