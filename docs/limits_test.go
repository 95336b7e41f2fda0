package docs

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/policy"
)

// TestEveryLimitIsDocumented finds each setting of the policy, and its default, in the table of
// limits.md.
func TestEveryLimitIsDocumented(t *testing.T) {
	text, err := os.ReadFile("limits.md")
	require.NoError(t, err)
	page := string(text)
	for _, spec := range policy.Table() {
		require.Contains(t, page, "`"+spec.Name()+"`")
		if byDefault := spec.Value(policy.Default()); spec.Usage != "" && byDefault != nil && spec.Setting != policy.DepositMultiplier {
			require.Contains(t, page, "`"+spec.Flag()+"` | "+byDefault.String())
		}
	}
}
