package check_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
)

// TestEveryNeedIsMadeBefore: a check that needs what nothing makes would be skipped for ever.
func TestEveryNeedIsMadeBefore(t *testing.T) {
	u, err := pay.ParseURL("https://recipient.example")
	require.NoError(t, err)
	for _, subject := range []*check.Subject{{}, {URL: u}} {
		made := []string{"config", "limits", "network", "account", "key_opens"} // the caller's
		checks, end := check.Wallet(subject)
		for _, c := range checks {
			for _, need := range c.Needs {
				require.Contains(t, made, need, "%s needs it", c.ID)
			}
			require.False(t, slices.Contains(made, c.ID), "%s is made twice", c.ID)
			made = append(made, c.ID)
		}
		end()
	}
}

// TestNothingIsOpenedUnasked: without the caller's checks nothing is dialled or opened.
func TestNothingIsOpenedUnasked(t *testing.T) {
	checks, end := check.Wallet(new(check.Subject))
	defer end()
	for _, f := range check.Run(t.Context(), checks) {
		require.Equal(t, check.Skipped, f.State, f.ID)
	}
}
