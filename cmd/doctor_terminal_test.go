//go:build linux

package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestDoctorAsksForThePassphrase has a person give it, and not go on.
func TestDoctorAsksForThePassphrase(t *testing.T) {
	home := t.TempDir()
	pass := filepath.Join(home, "pass")
	require.NoError(t, os.WriteFile(pass, []byte("correct horse 1\n"), 0o600))
	made := exec.CommandContext(t.Context(), "pmctl", "account", "new", "--lightkdf", "--passphrase-file", pass)
	made.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "ETH_KEYSTORE=")
	out, err := made.CombinedOutput()
	require.NoError(t, err, string(out))
	offline := []string{"doctor", "https://127.0.0.1:1", "--rpc-url", "http://127.0.0.1:1"}

	p := atTerminal(t, home, offline...)
	p.expect(": ")
	p.press("correct horse 1\r")
	code, shown := p.end()
	require.Equal(t, exitUnreachable, code, shown)
	require.Contains(t, shown, "key_opens      the passphrase opens it")
	require.NotContains(t, shown, "correct horse")

	for name, stop := range map[string]func(*terminal){
		"Ctrl-C":  func(p *terminal) { p.press("half\x03") },
		"SIGTERM": func(p *terminal) { require.NoError(p.t, p.cmd.Process.Signal(unix.SIGTERM)) },
	} {
		t.Run(name, func(t *testing.T) {
			p := atTerminal(t, home, offline...)
			p.expect(": ")
			stop(p)
			code, shown := p.end()
			require.Equal(t, exitCancelled, code, shown)
			require.NotContains(t, shown, "config", "no checks are shown")
		})
	}
}
