package cmd

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestNothingIsSentBehindAStaleHead: a node that has stopped answers as the chain was,
// and every command that sends a transaction refuses it, as pay does.
func TestNothingIsSentBehindAStaleHead(t *testing.T) {
	t.Parallel()
	w := &ward{shell: newShell(t, devnet.Config{})}
	w.home = filepath.Dir(w.env["ETH_PASSWORD"])
	w.arbitrum(0)
	signed := w.write("signed.json", w.print("tx sign --yes "+w.write("unsigned.json",
		w.print("fund --deposit 1gwei --unsigned"), 0o600)), 0o600)
	sent := w.nonce()

	w.arbitrum(10 * time.Minute)
	for _, line := range []string{
		"fund --deposit 1gwei --yes", "fund --deposit 1gwei --dry-run", "fund --deposit 1gwei --unsigned",
		"unlock --yes", "unlock cancel --yes", "withdraw --yes", "exit --yes", "tx send " + signed,
	} {
		require.Regexp(t, `is 10m([0-9]+s)? old, at most 3m is allowed`, w.refused(exitUnreachable, line), line)
	}
	require.Equal(t, sent, w.nonce())
	require.Empty(t, w.run(exitDone, "tx list --all")["transactions"])
}

// print runs a command line and returns what it prints.
func (s *shell) print(line string) string {
	s.t.Helper()
	code, out, errs := s.speak(line)
	require.Equal(s.t, exitDone, code, "%s: %s", line, errs)
	return out
}

// refused runs a command line that must end with the exit code, and returns what it says.
func (s *shell) refused(code int, line string) string {
	s.t.Helper()
	got, out, errs := s.speak(line)
	require.Equal(s.t, code, got, "%s: %s%s", line, out, errs)
	return errs
}

// speak runs a command line and returns its exit code, stdout and stderr.
func (s *shell) speak(line string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = Main(s.t.Context(), strings.Fields(line), &Env{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr, Now: time.Now,
		Getenv: func(name string) string { return s.env[name] },
	})
	return code, stdout.String(), stderr.String()
}
