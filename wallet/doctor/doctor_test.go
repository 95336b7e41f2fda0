package doctor_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/doctor"
)

func check(id string, state doctor.State, needs ...string) doctor.Check {
	return doctor.Check{ID: id, Needs: needs, Run: func(context.Context) doctor.Finding {
		return doctor.Finding{State: state, Found: "looked"}
	}}
}

func TestOnlyWhatDependsOnAFaultIsSkipped(t *testing.T) {
	reports := doctor.Run(t.Context(), []doctor.Check{
		check("node", doctor.Failed),
		check("store", doctor.Warning),
		check("chain", doctor.OK, "node"),
		check("deposit", doctor.OK, "store", "chain", "node"),
		check("journal", doctor.OK, "store"),
	})
	var states []doctor.State
	for _, r := range reports {
		states = append(states, r.State)
	}
	require.Equal(t, []doctor.State{doctor.Failed, doctor.Warning, doctor.Skipped, doctor.Skipped, doctor.OK}, states)
	require.Equal(t, "not checked: needs node", reports[2].Found)
	require.Equal(t, "not checked: needs chain, node", reports[3].Found, "only what is missing is named")
	require.Equal(t, "node", doctor.FirstFailed(reports).ID)
}

func TestANeedMustComeBefore(t *testing.T) {
	reports := doctor.Run(t.Context(), []doctor.Check{check("a", doctor.OK, "b"), check("b", doctor.OK)})
	require.Equal(t, doctor.Skipped, reports[0].State)
	require.Nil(t, doctor.FirstFailed(reports))
}

func TestNothingIsLookedAtAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reports := doctor.Run(ctx, []doctor.Check{
		{ID: "a", Run: func(context.Context) doctor.Finding { cancel(); return doctor.Finding{State: doctor.OK} }},
		{ID: "b", Run: func(context.Context) doctor.Finding { panic("looked after the end") }},
	})
	require.Equal(t, doctor.Skipped, reports[1].State)
	require.True(t, errors.Is(reports[1].Err, context.Canceled))
}
