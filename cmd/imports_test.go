package cmd

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/pmctl/pmctl"

// TestImportsPointOneWay holds the fence between the packages: commands use the
// wallet, the wallet uses the protocol and the keys, and these use neither.
func TestImportsPointOneWay(t *testing.T) {
	for _, c := range []struct {
		from      string
		forbidden []string
	}{
		{"/pm/...", []string{"/wallet", "/cmd", "/keystore"}},
		{"/keystore", []string{"/wallet", "/cmd"}},
		{"/wallet/...", []string{"/cmd"}},
		{"/wallet/wei", []string{"/pm", "/keystore", "/wallet/chain"}},
	} {
		for _, dep := range deps(t, module+c.from) {
			for _, f := range c.forbidden {
				require.False(t, dep == module+f || strings.HasPrefix(dep, module+f+"/"), "%s imports %s", c.from, dep)
			}
		}
	}
}

// TestWalletLinksNoNode keeps the full node, which the local network runs in its
// own binary, and what documentation is made with, out of pmctl.
func TestWalletLinksNoNode(t *testing.T) {
	const geth = "github.com/ethereum/go-ethereum/"
	for _, dep := range deps(t, module) {
		require.False(t, strings.HasPrefix(dep, module+"/wallet/devnet"), dep)
		require.False(t, strings.HasPrefix(dep, "github.com/spf13/cobra/doc"), dep)
		require.NotContains(t, dep, "jsonschema", "only tests read schemas")
		for _, node := range []string{"node", "eth", "core/vm", "core/state", "p2p", "ethdb/pebble"} {
			require.NotEqual(t, geth+node, dep)
		}
	}
}

func deps(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", pattern).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}
