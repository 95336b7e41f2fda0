//go:build linux

package cmd

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// TestEveryCommandFitsATerminal runs each command there is at a terminal of 80 columns:
// no line is longer. With NO_COLOR, and where TERM says that the terminal is dumb, there
// is nothing on it but text.
func TestEveryCommandFitsATerminal(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newSeat(t)
	url := s.network.Recipients()[0].State().URL
	s.run("fund", "--deposit", "1.000000000000000001eth", "--reserve", "1eth", "--yes")
	require.NoError(t, os.WriteFile(s.file("params.json"), []byte(s.run("params", "fetch", url, "-o", "json")), 0o600))
	require.NoError(t, os.WriteFile(s.file("batch.json"), []byte(s.run("ticket", "batch", "--params", s.file("params.json"), "--count", "2", "-o", "json")), 0o600))
	require.NoError(t, os.WriteFile(s.file("payment"), []byte(s.run("ticket", "batch", "--params", s.file("params.json"), "--count", "2", "-o", "headers")), 0o600))
	require.NoError(t, os.WriteFile(s.file("ledger.json"), []byte(s.run("store", "export")), 0o600))
	me := s.network.Accounts()[0].Address.Hex()
	unmined := "0x" + strings.Repeat("ab", 32)

	// lines are a line of arguments for each command; some end with an error, which must
	// fit as well. What is sent comes last.
	lines := []string{
		"account list", "account show", "account new --lightkdf", "account show " + me, "account import key0 --lightkdf", "account import key0 --lightkdf --keystore other",
		"account export " + me + " --raw --yes --out exported", "account export " + unmined[:42], "account passwd " + unmined[:42],
		"budget", "config show",
		"doctor", "doctor " + url, "history", "runway", "status", "status --check", "status --from " + unmined[:42], "version",
		"fund plan --recipients 1 --spend-rate 0.01eth/day",
		"params fetch " + url, "params show params.json", "recipient list", "recipient show " + url,
		"store check", "store acknowledge", "store export", "store import ledger.json", "store migrate",
		"ticket batch --params params.json --count 1", "ticket verify batch.json", "ticket inspect payment", "ticket deliver " + url + " payment", "ticket redeem batch.json",
		"pay " + url + " --value 1gwei", "pay http://127.0.0.1:1 --value 1gwei",
		"tx list", "tx show " + unmined, "tx wait " + unmined, "tx bump " + unmined, "tx cancel " + unmined, "tx send payment", "tx sign payment",
		"agent status", "agent lock", "agent stop", "agent start --foreground --from 0x12",
		"fund --deposit 0.1eth --reserve 0.100000000000000001eth --yes", "unlock --yes", "unlock cancel --yes", "withdraw --yes", "exit --yes --timeout 1ns",
	}
	reached := make(map[string]bool)
	for _, line := range lines {
		command, _, err := Tree().Find(strings.Fields(line))
		require.NoError(t, err, line)
		reached[command.CommandPath()] = true
		for _, env := range []string{"TERM=xterm-256color", "NO_COLOR=1", "TERM=dumb"} {
			if env != "TERM=xterm-256color" && moves(line) {
				continue
			}
			t.Run(line+" "+env, func(t *testing.T) {
				shown := s.look(t, env, strings.Fields(line)...)
				requireFits(t, shown)
				if env != "TERM=xterm-256color" {
					require.NotContains(t, shown, "\x1b")
				}
			})
		}
	}
	eachCommand(Tree(), func(command *cobra.Command) {
		requireFits(t, s.run(append(strings.Fields(command.CommandPath())[1:], "--help")...))
		// Completion scripts are for shells.
		if command.Runnable() && command.RunE != nil && !command.HasSubCommands() && !command.Hidden && !strings.Contains(command.CommandPath(), "completion") {
			require.True(t, reached[command.CommandPath()], "nobody has looked at %s", command.CommandPath())
		}
	})
}

func eachCommand(command *cobra.Command, do func(*cobra.Command)) {
	do(command)
	for _, child := range command.Commands() {
		eachCommand(child, do)
	}
}

// moves tells a line that changes what the next one finds.
func moves(line string) bool { return strings.Contains(line, "--yes") }

// look runs a command with its output on a terminal, and a passphrase from a file.
func (s *seat) look(t *testing.T, env string, args ...string) string {
	t.Helper()
	p := s.sit([]string{"ETH_PASSWORD=" + s.file("pass"), "ETH_FROM=" + s.network.Accounts()[0].Address.Hex(), env}, args...)
	p.t = t
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
	for line := range strings.Lines(shown) {
		// What was there before a carriage return has been written over.
		parts := strings.Split(strings.TrimRight(line, "\r\n"), "\r")
		line = colours.ReplaceAllString(parts[len(parts)-1], "")
		if utf8.RuneCountInString(line) > cli.DefaultWidth && !inOnePiece.MatchString(line) {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
	}
}
