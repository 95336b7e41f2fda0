//go:build linux

package cmd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// prompt is a question of a command, and what a person has answered before it.
type prompt struct {
	name string
	args []string
	// before are questions and their answers, in turns.
	before []string
	asks   string
}

// TestEveryPromptEnds interrupts each question that there is: the command ends at once,
// says that it was cancelled, has done nothing, and leaves the terminal as it was.
func TestEveryPromptEnds(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newSeat(t)
	s.run("fund", "--deposit", "1eth", "--reserve", "1eth", "--yes")
	url := s.network.Recipients()[0].State().URL
	secret := passphraseTyped + "\r"
	pending := []prompt{
		{name: "status: account", args: []string{"status"}, asks: "Which account"},
		{name: "doctor: account", args: []string{"doctor"}, asks: "Which account"},
	}
	prompts := []prompt{
		{name: "account new: passphrase", args: []string{"account", "new", "--lightkdf"}, asks: "New passphrase of 0x"},
		{name: "account new: again", args: []string{"account", "new", "--lightkdf"}, before: []string{"New passphrase of 0x", secret}, asks: "Repeat passphrase: "},
		{name: "account import: key", args: []string{"account", "import", "-", "--lightkdf"}, asks: "Private key: "},
		{name: "account import: passphrase", args: []string{"account", "import", s.file("key0"), "--lightkdf", "--keystore", s.file("other")}, asks: "New passphrase"},
		{name: "account passwd: old", args: []string{"account", "passwd"}, asks: "assphrase of 0x"},
		{name: "account passwd: new", args: []string{"account", "passwd"}, before: []string{"assphrase of 0x", secret}, asks: "New passphrase"},
		{name: "account export: sure", args: []string{"account", "export", "--raw", "--out", s.file("exported")}, asks: "[y/N] "},
		{name: "fund: deposit", args: []string{"fund"}, asks: "Add to the deposit"},
		{name: "fund: half an amount", args: []string{"fund"}, before: []string{"Add to the deposit", "0.1et"}, asks: "0.1et"},
		{name: "fund: no amount", args: []string{"fund"}, before: []string{"Add to the deposit", "six hundred thousand gwei\r"}, asks: "25gwei or\r\n1000wei\r\nAdd to the deposit"},
		{name: "fund: reserve", args: []string{"fund"}, before: []string{"Add to the deposit", "0.1eth\r"}, asks: "Add to the reserve"},
		{name: "fund: sure", args: []string{"fund", "--deposit", "1eth"}, asks: "[y/N] "},
		{name: "fund: passphrase", args: []string{"fund", "--deposit", "1eth"}, before: []string{"[y/N] ", "y\r"}, asks: "assphrase of 0x"},
		{name: "unlock: sure", args: []string{"unlock"}, asks: "[y/N] "},
		{name: "unlock: passphrase", args: []string{"unlock"}, before: []string{"[y/N] ", "y\r"}, asks: "assphrase of 0x"},
		{name: "exit: sure", args: []string{"exit"}, asks: "[y/N] "},
		{name: "params fetch: URL", args: []string{"params", "fetch"}, asks: "Recipient (https"},
		{name: "params fetch: passphrase", args: []string{"params", "fetch", url}, asks: "assphrase of 0x"},
		{name: "pay: passphrase", args: []string{"pay", url, "--value", "1gwei"}, asks: "assphrase of 0x"},
		{name: "ticket batch: passphrase", args: []string{"ticket", "batch", "--recipient-url", url, "--count", "1"}, asks: "assphrase of 0x"},
		{name: "doctor: passphrase", args: []string{"doctor", url}, asks: "assphrase of 0x"},
		{name: "agent start: passphrase", args: []string{"agent", "start"}, asks: "assphrase of 0x"},
	}
	interruptEach(t, s, prompts)

	s.run("unlock", "--yes")
	require.NoError(t, s.network.Mine(t.Context(), 500))
	interruptEach(t, s, []prompt{
		{name: "withdraw: sure", args: []string{"withdraw"}, asks: "[y/N] "},
		{name: "withdraw: passphrase", args: []string{"withdraw"}, before: []string{"[y/N] ", "y\r"}, asks: "assphrase of 0x"},
		{name: "unlock cancel: sure", args: []string{"unlock", "cancel"}, asks: "[y/N] "},
	})
	require.Contains(t, s.run("status"), "withdraw", "nothing of it was done")

	s.run("account", "new", "--lightkdf")
	interruptEach(t, s, pending)
}

// interruptEach ends each question in each way.
func interruptEach(t *testing.T, s *seat, prompts []prompt) {
	stops := map[string]func(*terminal){
		"Ctrl-C":  func(p *terminal) { p.press("\x03") },
		"SIGTERM": func(p *terminal) { require.NoError(p.t, p.cmd.Process.Signal(unix.SIGTERM)) },
		"SIGINT":  func(p *terminal) { require.NoError(p.t, p.cmd.Process.Signal(unix.SIGINT)) },
	}
	for _, asked := range prompts {
		for name, stop := range stops {
			t.Run(fmt.Sprintf("%s %s", asked.name, name), func(t *testing.T) {
				nonce, err := s.network.Client().PendingNonceAt(t.Context(), s.network.Accounts()[0].Address)
				require.NoError(t, err)
				p := s.sit(nil, asked.args...)
				p.t = t
				for i := 0; i < len(asked.before); i += 2 {
					p.expect(asked.before[i])
					p.press(asked.before[i+1])
				}
				p.expect(asked.asks)
				stop(p)
				code, shown := p.end()
				require.Equal(t, exitCancelled, code, shown)
				require.NotContains(t, shown, passphraseTyped)
				if asked.asks == "[y/N] " {
					requireFits(t, shown)
				}
				now, err := s.network.Client().PendingNonceAt(t.Context(), s.network.Accounts()[0].Address)
				require.NoError(t, err)
				require.Equal(t, nonce, now, "nothing was sent")
			})
		}
	}
}

// TestSameAgainIsTheSame runs the command line that a command shows after it has asked.
func TestSameAgainIsTheSame(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newSeat(t)
	s.run("fund", "--deposit", "1eth", "--reserve", "1eth", "--yes")
	p := s.sit([]string{"ETH_PASSWORD=" + s.file("pass")}, "params", "fetch", "--capabilities", "text-to-image/local/still,live-video-to-video/noop", "--verbose=false", "--timeout", "1m")
	p.expect("Recipient (https")
	p.press(s.network.Recipients()[0].State().URL + "\r")
	code, shown := p.end()
	require.Zero(t, code, shown)
	_, again, found := strings.Cut(shown, "to run this without prompts:\r\n")
	require.True(t, found, shown)
	words := strings.Fields(strings.NewReplacer("\\", "", "\r\n", " ").Replace(again))
	require.Contains(t, words, "text-to-image/local/still", again)
	require.NotContains(t, words, "--verbose", again)
	require.Contains(t, s.run(words[1:]...), "price         6400.5 wei per pixel")
}
