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

	"github.com/pmctl/pmctl/cmd/internal/cli"
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

// ready waits for the state that -o json prints.
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
			p := launch(t, home, "-o", "json", "--accounts", "3", "--arbitrum")
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
			require.Equal(t, cli.ExitFailed, second.ends(t))
			require.Contains(t, second.stderr.String(), "already running")

			require.NoError(t, p.Process.Signal(signal))
			require.Equal(t, cli.ExitDone, p.ends(t), p.stderr)
			require.NoFileExists(t, path)
			rpc, err := url.Parse(state.RPCURL)
			require.NoError(t, err)
			_, err = net.Dial("tcp", rpc.Host)
			require.Error(t, err)

			require.Empty(t, p.stderr.String())
		})
	}
}

// lastLine is stderr that ends the run once the summary is complete.
type lastLine struct {
	bytes.Buffer
	stop context.CancelFunc
}

func (l *lastLine) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("Ctrl-C")) {
		defer l.stop()
	}
	return l.Buffer.Write(p)
}

// The summary says where everything is, but not the keys.
func TestSummary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devnet.json")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stderr := &lastLine{stop: stop}
	var out bytes.Buffer
	env := &cli.Env{In: strings.NewReader(""), Out: &out, Err: stderr, Getenv: func(string) string { return "" }}
	require.Equal(t, cli.ExitDone, run(ctx, env, []string{"--state", path, "--arbitrum", "--seed", "summary"}), stderr)
	require.Empty(t, out.String())
	p := launch(t, t.TempDir(), "-o", "json", "--state", path, "--arbitrum", "--seed", "summary")
	state := p.ready(t) // the same keys
	for _, part := range []string{"http://127.0.0.1:", "ws://127.0.0.1:", state.Controller.Hex(), state.Recipients[0].Address.Hex(), path, "1000 ETH", "412346"} {
		require.Contains(t, stderr.String(), part)
	}
	require.Regexp(t, `(?m)^control +http://127\.0\.0\.1:\d+$`, stderr.String())
	require.NotContains(t, stderr.String(), strings.TrimPrefix(state.Accounts[0].PrivateKey, "0x"))
}

func TestEndsWithStdin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devnet.json")
	p := launch(t, t.TempDir(), "-o", "json", "--until-stdin-closes", "--state", path, "--recipients", "0")
	p.ready(t)
	require.FileExists(t, path)
	require.NoError(t, p.stdin.Close())
	require.Equal(t, cli.ExitDone, p.ends(t), p.stderr)
	require.NoFileExists(t, path)
}

// A network that was killed leaves its file; the next one is not held up by it.
func TestFollowsAKilledOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devnet.json")
	killed := launch(t, t.TempDir(), "-o", "json", "--state", path, "--recipients", "0")
	killed.ready(t)
	require.NoError(t, killed.Process.Kill())
	killed.ends(t)
	require.FileExists(t, path)

	next := launch(t, t.TempDir(), "-o", "json", "--state", path, "--recipients", "0")
	require.Equal(t, next.Process.Pid, next.ready(t).PID)
	require.NoError(t, next.Process.Signal(os.Interrupt))
	require.Equal(t, cli.ExitDone, next.ends(t))
}

// invoke runs a command line in this process.
func invoke(t *testing.T, variables map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	env := &cli.Env{In: strings.NewReader(""), Out: &out, Err: &err, Getenv: func(name string) string { return variables[name] }}
	code = run(t.Context(), env, args)
	return code, out.String(), err.String()
}

func TestUsage(t *testing.T) {
	home := map[string]string{"HOME": "/nonexistent"}
	const address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	for _, c := range []struct {
		name      string
		variables map[string]string
		args      []string
		want      string
	}{
		{"flag", home, []string{"--nonsense"}, "pmctl-devnet: unknown flag --nonsense for pmctl-devnet\nhint: pmctl-devnet --help lists the flags\n"},
		{"flag like another", home, []string{"--acounts", "1"}, "did you mean --accounts?"},
		{"command", home, []string{"start"}, `unknown command "start" for pmctl-devnet`},
		{"command like another", home, []string{"mien"}, "did you mean pmctl-devnet mine?"},
		{"flag of a command", home, []string{"mine", "--accounts", "1"}, "unknown flag --accounts for pmctl-devnet mine"},
		{"missing argument", home, []string{"faucet", address}, "missing argument AMOUNT\nhint: usage: pmctl-devnet faucet ADDRESS AMOUNT;"},
		{"extra argument", home, []string{"mine", "1", "2"}, `unexpected argument "2": pmctl-devnet mine takes at most 1 argument`},
		{"split amount", home, []string{"faucet", address, "1", "gwei"}, "hint: write 1gwei, or quote it"},
		{"amount without a unit", home, []string{"faucet", address, "10"}, "AMOUNT: amount has no unit"},
		{"address", home, []string{"faucet", "0x12", "1eth"}, "ADDRESS: "},
		{"blocks", home, []string{"mine", "0"}, `BLOCKS "0": must be a whole number from 1`},
		{"format", home, []string{"recipient", "-o", "yaml"}, `--output "yaml": must be one of table, json`},
		{"number", home, []string{"--accounts", "many"}, `--accounts "many": must be a whole number`},
		{"accounts", home, []string{"--accounts", "-1"}, "--accounts -1"},
		{"round length", home, []string{"--round-length", "0"}, "at least 1"},
		{"L1 numbers", home, []string{"--arbitrum", "--l1-number-as", "roman"}, `not "roman"`},
		{"L1 numbers of a plain chain", home, []string{"--l1-number-as", "number"}, "--arbitrum"},
		{"ticket EV", home, []string{"--ticket-ev", "1000"}, "amount has no unit"},
		{"port", home, []string{"--port", "70000"}, "70000"},
		{"no home", nil, nil, "hint: pass --state FILE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, err := invoke(t, c.variables, c.args...)
			require.Equal(t, cli.ExitUsage, code)
			require.True(t, strings.HasPrefix(err, "pmctl-devnet: "), err)
			require.Contains(t, err, c.want)
			require.Empty(t, out)
		})
	}
}

// With -o json an error is one document on stderr, also where the flags are wrong.
func TestErrorDocuments(t *testing.T) {
	state := filepath.Join(t.TempDir(), "devnet.json")
	for _, c := range []struct {
		args []string
		code string
		exit int
	}{
		{[]string{"-o", "json", "--nonsense"}, "usage", cli.ExitUsage},
		{[]string{"--accounts", "-1", "-o", "json"}, "usage", cli.ExitUsage},
		{[]string{"--state", state, "mine", "-o", "json"}, "unreachable", cli.ExitUnreachable},
	} {
		code, out, err := invoke(t, nil, c.args...)
		require.Equal(t, c.exit, code, err)
		require.Empty(t, out)
		var document struct {
			Kind  string
			Error struct{ Code string }
		}
		require.NoError(t, json.Unmarshal([]byte(err), &document), err)
		require.Equal(t, c.code, document.Error.Code)
	}
}

func TestHelp(t *testing.T) {
	for columns, width := range map[string]int{"80": 80, "140": 120} {
		for _, command := range []string{"", "mine", "round", "faucet", "recipient"} {
			code, out, err := invoke(t, map[string]string{"COLUMNS": columns}, append(strings.Fields(command), "--help")...)
			require.Equal(t, cli.ExitDone, code)
			require.Empty(t, err)
			for line := range strings.Lines(out) {
				require.LessOrEqual(t, len(strings.TrimSuffix(line, "\n")), width, line)
			}
			for _, part := range []string{"\nUsage:\n  pmctl-devnet ", "\nOutput:\n      --jq EXPR ", "\n  -o, --output FORMAT ", "\nGlobal:\n", "--state FILE"} {
				require.Contains(t, out, part)
			}
			require.Equal(t, command == "", strings.Contains(out, "\nFlags:\n      --accounts N "), out)
		}
	}
}

// Commands print for people, or JSON and nothing beside it.
func TestCommandsOnARunningNetwork(t *testing.T) {
	state := filepath.Join(t.TempDir(), "devnet.json")
	p := launch(t, t.TempDir(), "-o", "json", "--state", state)
	p.ready(t)
	for _, c := range []struct {
		line, table string
		field       string
	}{
		{"mine 2", "L1 block ", "l1_block"},
		{"round", "round ", "round"},
		{"faucet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 10eth", "gave 10 ETH to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "tx_hash"},
		{"recipient", "accepted  0 of 0 tickets", "tickets"},
	} {
		args := append(strings.Fields(c.line), "--state", state)
		code, out, err := invoke(t, nil, args...)
		require.Equal(t, cli.ExitDone, code, err)
		require.Contains(t, out, c.table)
		code, out, err = invoke(t, nil, append(args, "-o", "json")...)
		require.Equal(t, cli.ExitDone, code, err)
		require.Empty(t, err)
		var document map[string]any
		require.NoError(t, json.Unmarshal([]byte(out), &document), out)
		require.Contains(t, document, c.field)
	}
	code, _, err := invoke(t, nil, "mine", "1000000", "--state", state)
	require.Equal(t, cli.ExitFailed, code)
	require.Equal(t, "pmctl-devnet: the local network answers 400 Bad Request: bad request: blocks=1000000 is not a number from 1 to 100000\n", err)
	require.NoError(t, p.Process.Signal(os.Interrupt))
	require.Equal(t, cli.ExitDone, p.ends(t))
	require.Empty(t, p.stderr.String())
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
