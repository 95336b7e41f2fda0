package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSignerUnits has systemd read the units of the remote signer, and rate what the service may
// do at less than 2.0 of 10.
func TestSignerUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		require.Empty(t, os.Getenv("PMCTL_REQUIRE_DOCS"), "systemd-analyze is not here, and must be")
		t.Skip("systemd-analyze is not here")
	}
	units, err := filepath.Glob("../packaging/systemd/*")
	require.NoError(t, err)
	require.Len(t, units, 3)
	dir := t.TempDir()
	for i, unit := range units {
		text, err := os.ReadFile(unit)
		require.NoError(t, err)
		units[i] = filepath.Join(dir, filepath.Base(unit))
		// The program must exist for systemd; this one does.
		require.NoError(t, os.WriteFile(units[i], []byte(strings.ReplaceAll(string(text), "/usr/local/bin/pmctl", "/bin/true")), 0o600))
	}
	out, err := exec.Command(analyze, append([]string{"--man=no", "--recursive-errors=no", "verify"}, units...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), dir, "systemd has something to say")
	out, err = exec.Command(analyze, "security", "--offline=true", "--threshold=19", filepath.Join(dir, "pmctl-signer.service")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "Overall exposure level")
}

// TestTheSignerIsRestarted has systemd restart a signer for ever while its node is away, and never
// for what only its operator can put right.
func TestTheSignerIsRestarted(t *testing.T) {
	text, err := os.ReadFile("../packaging/systemd/pmctl-signer.service")
	require.NoError(t, err)
	number := func(setting string) int {
		found := regexp.MustCompile(`(?m)^` + setting + `=(\d+)s?$`).FindSubmatch(text)
		require.NotNil(t, found, setting)
		n, err := strconv.Atoi(string(found[1]))
		require.NoError(t, err)
		return n
	}
	require.Greater(t, number("StartLimitBurst")*number("RestartSec"), number("StartLimitIntervalSec"), "restarts reach the limit of starts")
	const prevent = "\nRestartPreventExitStatus=2 3 6\n" // pmctl help exit-codes
	require.Contains(t, string(text), prevent)
	page, err := os.ReadFile("cookbook.md")
	require.NoError(t, err)
	require.Contains(t, string(page), prevent, "the agent's")
}
