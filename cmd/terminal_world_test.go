//go:build linux

package cmd

import (
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// seat is a person's place before a terminal: a home folder with a key, and a network.
type seat struct {
	t       *testing.T
	home    string
	network *devnet.Devnet
	env     []string
}

// passphraseTyped opens every key of a seat.
const passphraseTyped = "correct horse 1"

func newSeat(t *testing.T) *seat {
	t.Helper()
	home := t.TempDir()
	state := filepath.Join(home, "devnet.json")
	network, err := devnet.Start(t.Context(), devnet.Config{Accounts: 1, Recipients: 1, StatePath: state})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	s := &seat{t: t, home: home, network: network, env: []string{
		"TERM=xterm-256color", "PMCTL_NETWORK=devnet", "PMCTL_DEVNET_STATE=" + state, "XDG_STATE_HOME=", "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=", "XDG_RUNTIME_DIR=", "PMCTL_STORE=",
	}}
	require.NoError(t, os.WriteFile(s.file("pass"), []byte(passphraseTyped+"\n"), 0o600))
	require.NoError(t, os.WriteFile(s.file("key0"), []byte(hex.EncodeToString(crypto.FromECDSA(network.Accounts()[0].Key))), 0o600))
	keepKey(t, s.file(".local/share/pmctl/keystore"), network.Accounts()[0].Key, passphraseTyped)
	return s
}

func (s *seat) file(name string) string { return filepath.Join(s.home, name) }

// run runs a command in a pipe, which must be done, and returns its stdout.
func (s *seat) run(args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "pmctl", args...)
	cmd.Env = append(os.Environ(), "HOME="+s.home, "XDG_DATA_HOME=", "ETH_KEYSTORE=", "ETH_FROM=", "ETH_PASSWORD="+s.file("pass"))
	cmd.Env = append(cmd.Env, s.env...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		require.NoError(s.t, err, "%v: %s%s", args, out, exit.Stderr)
	}
	require.NoError(s.t, err)
	return string(out)
}

// sit starts a command at the terminal.
func (s *seat) sit(env []string, args ...string) *terminal {
	s.t.Helper()
	return atTerminalWith(s.t, s.home, append(s.env[:len(s.env):len(s.env)], env...), args...)
}
