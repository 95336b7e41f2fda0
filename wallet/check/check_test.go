package check_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/check"
)

func looks(id string, state check.State, needs ...string) check.Check {
	return check.Check{ID: id, Needs: needs, Run: func(context.Context) check.Finding {
		return check.Finding{State: state, Found: "looked"}
	}}
}

func TestOnlyWhatDependsOnAFaultIsSkipped(t *testing.T) {
	reports := check.Run(t.Context(), []check.Check{
		looks("node", check.Failed),
		looks("store", check.Warning),
		looks("chain", check.OK, "node"),
		looks("deposit", check.OK, "store", "chain", "node"),
		looks("journal", check.OK, "store"),
	})
	var states []check.State
	for _, r := range reports {
		states = append(states, r.State)
	}
	require.Equal(t, []check.State{check.Failed, check.Warning, check.Skipped, check.Skipped, check.OK}, states)
	require.Equal(t, "not checked: needs node", reports[2].Found)
	require.Equal(t, "not checked: needs chain, node", reports[3].Found, "only what is missing is named")
}

func TestANeedMustComeBefore(t *testing.T) {
	reports := check.Run(t.Context(), []check.Check{looks("a", check.OK, "b"), looks("b", check.OK)})
	require.Equal(t, check.Skipped, reports[0].State)
}

func TestNothingIsLookedAtAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reports := check.Run(ctx, []check.Check{
		{ID: "a", Run: func(context.Context) check.Finding { cancel(); return check.Finding{State: check.OK} }},
		{ID: "b", Run: func(context.Context) check.Finding { panic("looked after the end") }},
	})
	require.Equal(t, check.Skipped, reports[1].State)
	require.True(t, errors.Is(reports[1].Err, context.Canceled))
}
