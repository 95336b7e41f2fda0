package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestEveryLimitIsTold finds each setting of the policy, and its default, in the table of
// limits.md.
func TestEveryLimitIsTold(t *testing.T) {
	text, err := os.ReadFile("limits.md")
	require.NoError(t, err)
	page := string(text)
	for _, setting := range policy.Settings() {
		if name := strings.ReplaceAll(string(setting), "-", "_"); setting != policy.Recipients {
			require.Contains(t, page, "`limits."+name+"`")
		}
	}
	for _, setting := range policy.Budgets() {
		require.Contains(t, page, "`budget."+string(setting)+"`")
	}
	defaults := policy.Default()
	require.Contains(t, page, "`--max-ticket-ev` | "+wei.Format(defaults.MaxEV)+" |")
	require.Contains(t, page, "`--max-total-ev` | "+wei.Format(defaults.MaxTotalEV)+" |")
	require.Contains(t, page, "`--max-fee` | "+defaults.MaxFee.String()+" |")
	require.Contains(t, page, "`--max-head-age` | "+defaults.MaxHeadAge.String()+";")
}
