package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// runAsMain makes the test's own binary the program, so that tests run it as a
// process of its own.
const runAsMain = "PMCTL_DEVNET_RUN_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(runAsMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is the program, running.
type process struct {
	*exec.Cmd
	home   string
	stdin  io.Closer
	stdout *bufio.Reader
	stderr *bytes.Buffer
}

func launch(t *testing.T, home string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	p := &process{Cmd: exec.CommandContext(ctx, os.Args[0], args...), home: home, stderr: new(bytes.Buffer)}
	p.Env = []string{runAsMain + "=1", "HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}
	p.Cmd.Stderr = p.stderr
	stdin, err := p.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.StdoutPipe()
	require.NoError(t, err)
	p.stdin, p.stdout = stdin, bufio.NewReader(stdout)
	require.NoError(t, p.Start())
	t.Cleanup(func() {
		cancel() // kills it if it still runs
		_ = p.Cmd.Wait()
	})
	return p
}

// ready waits for the state that --json prints.
func (p *process) ready(t *testing.T) (state chain.DevnetState) {
	t.Helper()
	require.NoError(t, json.NewDecoder(p.stdout).Decode(&state), "stderr: %s", p.stderr)
	return state
}

// ends waits for the end and returns the exit code.
func (p *process) ends(t *testing.T) int {
	t.Helper()
	_, err := io.Copy(io.Discard, p.stdout)
	require.NoError(t, err)
	_ = p.Cmd.Wait()
	return p.ProcessState.ExitCode()
}

func TestServesUntilInterrupted(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			home := t.TempDir()
			p := launch(t, home, "--json", "--accounts", "3", "--arbitrum")
			state := p.ready(t)
			require.Equal(t, p.Process.Pid, state.PID)
			require.Len(t, state.Accounts, 3)
			require.Len(t, state.Recipients, 1)
			path := filepath.Join(home, ".local", "state", "pmctl", "devnet.json")
			file, err := chain.ReadDevnetState(path)
			require.NoError(t, err)
			require.Equal(t, state, *file)

			client, err := ethclient.DialContext(t.Context(), state.RPCURL)
			require.NoError(t, err)
			code, err := client.CodeAt(t.Context(), state.Controller, nil)
			require.NoError(t, err)
			require.NotEmpty(t, code)
			client.Close()

			// There is one network to a state file.
			second := launch(t, home)
			require.Equal(t, exitFailed, second.ends(t))
			require.Contains(t, second.stderr.String(), "already running")

			require.NoError(t, p.Process.Signal(signal))
			require.Equal(t, exitDone, p.ends(t), p.stderr)
			require.NoFileExists(t, path)
			rpc, err := url.Parse(state.RPCURL)
			require.NoError(t, err)
			_, err = net.Dial("tcp", rpc.Host)
			require.Error(t, err)

			// The summary tells where everything is, but not the keys.
			for _, part := range []string{state.RPCURL, state.WSURL, state.ControlURL, state.Controller.Hex(), path, "1000 ETH", "412346"} {
				require.Contains(t, p.stderr.String(), part)
			}
			require.NotContains(t, p.stderr.String(), strings.TrimPrefix(state.Accounts[0].PrivateKey, "0x"))
		})
	}
}

func TestEndsWithStdin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devnet.json")
	p := launch(t, t.TempDir(), "--json", "--until-stdin-closes", "--state", path, "--recipients", "0")
	p.ready(t)
	require.FileExists(t, path)
	require.NoError(t, p.stdin.Close())
	require.Equal(t, exitDone, p.ends(t), p.stderr)
	require.NoFileExists(t, path)
}

// A network that was killed leaves its file; the next one is not held up by it.
func TestFollowsAKilledOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devnet.json")
	killed := launch(t, t.TempDir(), "--json", "--state", path, "--recipients", "0")
	killed.ready(t)
	require.NoError(t, killed.Process.Kill())
	killed.ends(t)
	require.FileExists(t, path)

	next := launch(t, t.TempDir(), "--json", "--state", path, "--recipients", "0")
	require.Equal(t, next.Process.Pid, next.ready(t).PID)
	require.NoError(t, next.Process.Signal(os.Interrupt))
	require.Equal(t, exitDone, next.ends(t))
}

func TestUsage(t *testing.T) {
	none := func(string) string { return "" }
	home := func(name string) string { return map[string]string{"HOME": "/nonexistent"}[name] }
	for _, c := range []struct {
		name   string
		getenv func(string) string
		args   []string
		want   string
	}{
		{"flag", home, []string{"--nonsense"}, "unknown flag"},
		{"argument", home, []string{"start"}, `unexpected argument "start"`},
		{"number", home, []string{"--accounts", "many"}, "invalid argument"},
		{"accounts", home, []string{"--accounts", "-1"}, "--accounts -1"},
		{"round length", home, []string{"--round-length", "0"}, "at least 1"},
		{"L1 numbers", home, []string{"--arbitrum", "--l1-number-as", "roman"}, `not "roman"`},
		{"L1 numbers of a plain chain", home, []string{"--l1-number-as", "number"}, "--arbitrum"},
		{"ticket EV", home, []string{"--ticket-ev", "1000"}, "amount has no unit"},
		{"port", home, []string{"--port", "70000"}, "70000"},
		{"no home", none, nil, "--state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, err bytes.Buffer
			code := run(t.Context(), streams{in: strings.NewReader(""), out: &out, err: &err}, c.getenv, c.args)
			require.Equal(t, exitUsage, code)
			require.Contains(t, err.String(), c.want)
			require.Empty(t, out.String())
		})
	}
}

func TestHelp(t *testing.T) {
	var out, err bytes.Buffer
	code := run(t.Context(), streams{in: strings.NewReader(""), out: &out, err: &err}, func(string) string { return "" }, []string{"--help"})
	require.Equal(t, exitDone, code)
	require.Contains(t, out.String(), "--round-length")
	require.Empty(t, err.String())
}

func TestStatePath(t *testing.T) {
	for _, c := range []struct{ flag, xdg, want string }{
		{"", "", "/home/me/.local/state/pmctl/devnet.json"},
		{"", "/var/state", "/var/state/pmctl/devnet.json"},
		{"", "not/absolute", "/home/me/.local/state/pmctl/devnet.json"},
		{"mine.json", "/var/state", "mine.json"},
	} {
		o := options{state: c.flag, config: devnet.Config{RoundLength: 1, UnlockPeriod: 1}}
		config, err := o.complete(func(name string) string {
			return map[string]string{"HOME": "/home/me", "XDG_STATE_HOME": c.xdg}[name]
		})
		require.NoError(t, err)
		require.Equal(t, c.want, config.StatePath)
	}
}
