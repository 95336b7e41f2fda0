//go:build linux

package cmd

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestChooseAccount has a person choose among several accounts.
func TestChooseAccount(t *testing.T) {
	home := t.TempDir()
	pass := filepath.Join(home, "pass")
	require.NoError(t, os.WriteFile(pass, []byte("correct horse 1\n"), 0o600))
	for range 2 {
		made := exec.CommandContext(t.Context(), "pmctl", "account", "new", "--lightkdf", "--passphrase-file", pass)
		made.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "ETH_KEYSTORE=")
		out, err := made.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	status := []string{"status", "--rpc-url", "http://127.0.0.1:1"}

	p := atTerminal(t, home, status...)
	p.expect("Which account")
	p.press("\x0e\r") // Ctrl-N, the next one
	code, shown := p.end()
	require.Equal(t, exitUnreachable, code, shown)

	p = atTerminal(t, home, status...)
	p.expect("Which account")
	p.press("\x03")
	code, shown = p.end()
	require.Equal(t, exitCancelled, code, shown)

	p = atTerminal(t, home, status...)
	p.expect("Which account")
	require.NoError(t, p.cmd.Process.Signal(unix.SIGTERM))
	code, shown = p.end()
	require.Equal(t, exitCancelled, code, shown)
}

// TestInterruptedQuestion ends a command that asks whether to send a transaction:
// nothing is sent, and the terminal is a usable one again.
func TestInterruptedQuestion(t *testing.T) {
	home := t.TempDir()
	state := filepath.Join(home, "devnet.json")
	network, err := devnet.Start(t.Context(), devnet.Config{Accounts: 1, StatePath: state})
	require.NoError(t, err)
	defer func() { require.NoError(t, network.Close()) }()
	t.Setenv("PMCTL_NETWORK", "devnet")
	t.Setenv("PMCTL_DEVNET_STATE", state)
	pass, key := filepath.Join(home, "pass"), filepath.Join(home, "key")
	require.NoError(t, os.WriteFile(pass, []byte("correct horse 1\n"), 0o600))
	require.NoError(t, os.WriteFile(key, []byte(hex.EncodeToString(crypto.FromECDSA(network.Accounts()[0].Key))), 0o600))
	imported := exec.CommandContext(t.Context(), "pmctl", "account", "import", key, "--lightkdf", "--passphrase-file", pass)
	imported.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "ETH_KEYSTORE=")
	out, err := imported.CombinedOutput()
	require.NoError(t, err, string(out))

	for name, stop := range map[string]func(*terminal){
		"Ctrl-C":  func(p *terminal) { p.press("\x03") },
		"no":      func(p *terminal) { p.press("n\r") },
		"Enter":   func(p *terminal) { p.press("\r") },
		"SIGTERM": func(p *terminal) { require.NoError(p.t, p.cmd.Process.Signal(unix.SIGTERM)) },
		"SIGINT":  func(p *terminal) { require.NoError(p.t, p.cmd.Process.Signal(unix.SIGINT)) },
	} {
		t.Run(name, func(t *testing.T) {
			p := atTerminal(t, home, "fund", "--deposit", "1eth")
			p.expect("[y/N] ")
			stop(p)
			code, shown := p.end()
			require.Equal(t, exitCancelled, code, shown)
			require.NotContains(t, shown, "sent ")
		})
	}
	nonce, err := network.Client().PendingNonceAt(t.Context(), network.Accounts()[0].Address)
	require.NoError(t, err)
	require.Zero(t, nonce)
}

// TestInterruptedReads sends SIGINT to commands that wait for the rest of their input.
func TestInterruptedReads(t *testing.T) {
	for name, args := range map[string][]string{
		"params":     {"params", "show", "-"},
		"document":   {"ticket", "inspect", "-"},
		"delivery":   {"ticket", "deliver", "https://127.0.0.1:1"},
		"key":        {"account", "import", "-", "--passphrase-file", "pass"},
		"passphrase": {"account", "new", "--lightkdf", "--passphrase-fd", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			r, w, err := os.Pipe()
			require.NoError(t, err)
			defer w.Close()
			path, err := exec.LookPath("pmctl")
			require.NoError(t, err)
			cmd := exec.CommandContext(t.Context(), path, args...)
			cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "XDG_STATE_HOME=", "ETH_KEYSTORE=")
			var shown bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = r, &shown, &shown
			_, err = w.WriteString(`{"kind":`)
			require.NoError(t, err)
			cmd.Dir = home
			require.NoError(t, os.WriteFile(filepath.Join(home, "pass"), []byte("correct horse 1\n"), 0o600))
			require.NoError(t, cmd.Start())
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			// Once the command has taken what there was, it waits for more.
			for {
				left, err := unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ)
				require.NoError(t, err)
				if left == 0 {
					break
				}
				select {
				case <-ended:
					t.Fatal("it did not wait for its input: ", shown.String())
				default:
				}
			}
			require.NoError(t, r.Close())
			require.NoError(t, cmd.Process.Signal(unix.SIGINT))
			<-ended
			require.Equal(t, exitCancelled, cmd.ProcessState.ExitCode(), shown.String())
			require.NoDirExists(t, filepath.Join(home, ".local", "share"))
		})
	}
}
