package cmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/policy"
)

// TestTheSystemsFileBindsTheUsers has root's limits hold against a user who edits the
// own file, or points the environment at another one.
func TestTheSystemsFileBindsTheUsers(t *testing.T) {
	folder := t.TempDir()
	user := filepath.Join(folder, "pmctl", "config.toml")
	require.NoError(t, os.MkdirAll(filepath.Dir(user), 0o700))
	system := filepath.Join(folder, "system.toml")
	require.NoError(t, os.WriteFile(system, []byte("network = \"devnet\"\nlimits.max_ticket_ev = \"10gwei\""), 0o644))
	home := folder
	env := &Env{SystemConfig: system, Getenv: func(name string) string {
		if name == "XDG_CONFIG_HOME" {
			return home
		}
		return ""
	}}
	limit := func() string {
		limits, err := new(limitOptions).limits(env)
		require.NoError(t, err)
		return limits.MaxEV.RatString()
	}

	require.Equal(t, "10000000000", limit())
	require.NoError(t, os.WriteFile(user, []byte(`limits.max_ticket_ev = "5gwei"`), 0o600))
	require.Equal(t, "5000000000", limit())
	require.NoError(t, os.WriteFile(user, []byte(`limits.max_ticket_ev = "11gwei"`), 0o600))
	_, err := new(limitOptions).limits(env)
	require.ErrorIs(t, err, policy.ErrLimit)
	require.ErrorContains(t, err, "max_ticket_ev in "+user+": 11 gwei would loosen the limit of 10 gwei that max_ticket_ev in "+system+" sets")

	home = "" // nobody's
	require.Equal(t, "10000000000", limit())
}
