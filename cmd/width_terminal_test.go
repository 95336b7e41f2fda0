//go:build linux

package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/page"
)

// TestSoakEveryCommandFitsATerminal runs each command there is at terminals of 80 and of 140
// columns: no line is longer. With NO_COLOR, and where TERM says that the terminal is dumb, there
// is nothing on it but text. With PMCTL_CAPTURES what was shown is kept in that folder, to
// be looked at.
func TestSoakEveryCommandFitsATerminal(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newSeat(t)
	lines := s.everyCommand()
	reached := make(map[string]bool)
	for _, line := range lines {
		command, _, err := Tree().Find(strings.Fields(line))
		require.NoError(t, err, line)
		reached[command.CommandPath()] = true
		for _, at := range []seen{{80, "TERM=xterm-256color"}, {80, "NO_COLOR=1"}, {80, "TERM=dumb"}, {140, "TERM=xterm-256color"}, {140, "NO_COLOR=1"}} {
			if at != (seen{80, "TERM=xterm-256color"}) && moves(line) {
				continue
			}
			t.Run(fmt.Sprintf("%s %d %s", line, at.columns, at.env), func(t *testing.T) {
				shown := s.look(t, at, strings.Fields(line)...)
				requireWithin(t, int(at.columns), shown)
				if at.env != "TERM=xterm-256color" {
					require.NotContains(t, shown, "\x1b")
				}
				at.capture(t, line, shown)
			})
		}
	}
	eachCommand(Tree(), func(command *cobra.Command) {
		requireFits(t, s.run(append(strings.Fields(command.CommandPath())[1:], "--help")...))
		// Completion scripts are for shells.
		if command.Runnable() && command.RunE != nil && !command.HasSubCommands() && !command.Hidden && !strings.Contains(command.CommandPath(), "completion") {
			require.True(t, reached[command.CommandPath()], "%s has no line above", command.CommandPath())
		}
	})
}

// everyCommand has a line of arguments for each command, in a world where most do something. Some end
// with an error. What is sent comes last.
func (s *seat) everyCommand() []string {
	url := s.network.Recipients()[0].State().URL
	s.run("fund", "--deposit", "1.000000000000000001eth", "--reserve", "1eth", "--yes")
	require.NoError(s.t, os.WriteFile(s.file("params.json"), []byte(s.run("params", "fetch", url, "-o", "json")), 0o600))
	require.NoError(s.t, os.WriteFile(s.file("batch.json"), []byte(s.run("ticket", "batch", "--params", s.file("params.json"), "--count", "2", "-o", "json")), 0o600))
	require.NoError(s.t, os.WriteFile(s.file("payment"), []byte(s.run("ticket", "batch", "--params", s.file("params.json"), "--count", "2", "-o", "headers")), 0o600))
	require.NoError(s.t, os.WriteFile(s.file("ledger.json"), []byte(s.run("store", "export")), 0o600))
	me := s.network.Accounts()[0].Address.Hex()
	unmined := "0x" + strings.Repeat("ab", 32)

	return []string{
		"account list", "account show", "account new --lightkdf", "account show " + me, "account import key0 --lightkdf", "account import key0 --lightkdf --keystore other",
		"account export " + me + " --raw --yes --out exported", "account export " + unmined[:42], "account passwd " + unmined[:42],
		"budget", "config show",
		"doctor", "doctor " + url, "history", "runway", "status", "status --check", "status --from " + unmined[:42], "version", "help pay",
		"fund plan --recipients 1 --spend-rate 0.01eth/day", "fund auto --dry-run", "luck --face-value 0.004eth --win-prob 1/4000 --spend-rate 0.016eth/day",
		"params fetch " + url, "params show params.json", "recipient list", "recipient show " + url,
		"runner list", "runner list http://127.0.0.1:1 " + url, "runner show " + url + "/apps/live1/session",
		"store check", "store acknowledge", "store export", "store import ledger.json", "store migrate",
		"ticket batch --params params.json --count 1", "ticket verify batch.json", "ticket inspect payment", "ticket deliver " + url + " payment", "ticket redeem batch.json",
		"pay " + url + " --value 1gwei", "pay http://127.0.0.1:1 --value 1gwei", "call " + url + "/apps/fixed1/app --no-pay", "call " + url + "/apps/fixed1/app -d x",
		"tx list", "tx show " + unmined, "tx wait " + unmined, "tx bump " + unmined, "tx cancel " + unmined, "tx send payment", "tx sign payment",
		"signer client add studio --ev-per-day 0.000000000000000001eth --expires 720h --recipient " + me + " --max-price 500wei/second", "signer client list", "signer client show studio",
		"signer client set studio --ev-total 1eth", "signer client rotate studio --sdk-token https://signer.example:8935", "signer client revoke studio", "signer serve --log xml", "signer usage",
		"agent status", "agent lock", "agent stop", "agent start --foreground --from 0x12",
		"fund --deposit 0.1eth --reserve 0.100000000000000001eth --yes", "unlock --dry-run", "unlock --yes", "unlock cancel --yes", "withdraw --yes", "exit --yes --timeout 1ns",
	}
}

// seen is how wide a terminal is, and what its environment says of it.
type seen struct {
	columns uint16
	env     string
}

// capture keeps what was shown in the folder PMCTL_CAPTURES, if that is set.
func (at seen) capture(t *testing.T, line, shown string) {
	folder := os.Getenv("PMCTL_CAPTURES")
	if folder == "" || at.env == "TERM=dumb" {
		return
	}
	style := map[string]string{"NO_COLOR=1": "plain", "TERM=xterm-256color": "colour"}[at.env]
	folder = filepath.Join(folder, fmt.Sprintf("%d-%s", at.columns, style))
	require.NoError(t, os.MkdirAll(folder, 0o755))
	name := regexp.MustCompile(`[^\w.]+`).ReplaceAllString(line, "-") + ".txt"
	require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("$ pmctl "+line+"\r\n"+shown), 0o644))
}

// moves tells a line that changes what the next one finds.
func moves(line string) bool { return strings.Contains(line, "--yes") }

// look runs a command with its output on a terminal, and a passphrase from a file.
func (s *seat) look(t *testing.T, at seen, args ...string) string {
	t.Helper()
	env := append(s.env[:len(s.env):len(s.env)], "ETH_PASSWORD="+s.file("pass"), "ETH_FROM="+s.network.Accounts()[0].Address.Hex(), "PAGER=", "PMCTL_PAGER=", at.env)
	p := atTerminalOf(t, at.columns, s.home, env, args...)
	_, shown := p.end()
	return shown
}

// inOnePiece is what is never broken, and has a line of its own where it is too long: a
// path, a URL, digits, or a member of a JSON document.
var inOnePiece = regexp.MustCompile(`^ *("[a-z_]+": )?\S{60,}$`)

// colours are what takes no room on a line.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func requireFits(t *testing.T, shown string) {
	t.Helper()
	requireWithin(t, page.DefaultWidth, shown)
}

func requireWithin(t *testing.T, columns int, shown string) {
	t.Helper()
	for line := range strings.Lines(shown) {
		// What was there before a carriage return has been written over.
		parts := strings.Split(strings.TrimRight(line, "\r\n"), "\r")
		line = colours.ReplaceAllString(parts[len(parts)-1], "")
		if utf8.RuneCountInString(line) > columns && !inOnePiece.MatchString(line) {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
	}
}
