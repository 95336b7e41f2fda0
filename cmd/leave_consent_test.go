package cmd

import (
	"bytes"
	"cmp"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// acting is a stderr that acts once, at its first line.
type acting struct {
	bytes.Buffer
	text string
	act  func()
}

func (u *acting) Write(p []byte) (int, error) {
	n, err := u.Buffer.Write(p)
	if act := u.act; act != nil && strings.Contains(u.String(), u.text) {
		u.act = nil
		act()
	}
	return n, err
}

// interfered runs a command line and acts as soon as its stderr has a text, before it
// goes on.
func (s *shell) interfered(line, text string, act func()) (code int, out string, said errorDocument) {
	s.t.Helper()
	var stdout bytes.Buffer
	stderr := &acting{text: text, act: act}
	// An exit that does not stop would wait for rounds that do not come.
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	code = Main(ctx, strings.Fields(line), &Env{
		In: strings.NewReader(""), Out: &stdout, Err: stderr, Now: time.Now,
		Getenv: func(name string) string { return s.env[name] },
	})
	require.Nil(s.t, stderr.act, "%s never said %q: %s", line, text, stderr.String())
	_, message, _ := strings.Cut(stderr.String(), "\npmctl: ")
	said.Error.Message, said.Error.Hint, _ = strings.Cut(message, "\nhint: ")
	return code, stdout.String(), said
}

type errorDocument struct {
	Error struct{ Code, Message, Hint string }
}

// TestAnExitDoesWhatItWasAskedFor: while an exit waits for its round others lock the
// funds again, withdraw or add to them. What comes is no longer what was agreed to, and
// with --yes it cannot ask: it stops and says what changed.
func TestAnExitDoesWhatItWasAskedFor(t *testing.T) {
	t.Parallel()
	const waits = "waiting (current round:"
	for name, test := range map[string]struct {
		act  func(s *shell)
		line string
		says string
		hint string // "pmctl exit" if it is ""
		// deposit and lock are what is left.
		deposit, lock string
	}{
		"locked again": {
			act:     func(s *shell) { s.run(exitDone, "unlock cancel --yes") },
			says:    "is no longer in progress: 1 ETH of deposit and 0.5 ETH of reserve are locked",
			deposit: "1000000000000000000", lock: string(broker.Locked),
		},
		"funded, which locks it again": {
			act:     func(s *shell) { s.run(exitDone, "fund --deposit 4eth --yes --cancel-unlock") },
			says:    "is no longer in progress: 5 ETH of deposit and 0.5 ETH of reserve are locked; this exit was to withdraw 1 ETH and 0.5 ETH",
			deposit: "5000000000000000000", lock: string(broker.Locked),
		},
		"unlocked anew": {
			act: func(s *shell) {
				s.run(exitDone, "unlock cancel --yes")
				require.NoError(t, s.net.NextRound(t.Context(), 1))
				s.run(exitDone, "unlock --yes")
			},
			says:    "another one is, until round",
			deposit: "1000000000000000000", lock: string(broker.Unlocking),
		},
		"funded by another account": {
			act:     func(s *shell) { s.fundedByAnother("4eth") },
			says:    "grown: this exit was to withdraw 1 ETH and 0.5 ETH, they are now 5 ETH and 0.5 ETH",
			deposit: "5000000000000000000", lock: string(broker.Unlocking),
		},
		"withdrawn by a second exit that keeps a part": {
			act: func(s *shell) {
				require.NoError(t, s.net.NextRound(t.Context(), 2))
				s.run(exitDone, "exit --yes --keep-deposit 0.1eth")
			},
			says:    "is no longer in progress: 0.1 ETH of deposit and 0 wei of reserve are locked",
			deposit: "100000000000000000", lock: string(broker.Locked),
		},
		"withdrawn by a second exit": {
			act: func(s *shell) {
				require.NoError(t, s.net.NextRound(t.Context(), 2))
				s.run(exitDone, "exit --yes")
			},
			says:    "nothing is left of 1 ETH of deposit and 0.5 ETH of reserve",
			hint:    "pmctl tx list --all",
			deposit: "0", lock: string(broker.Empty),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, devnet.Config{UnlockPeriod: 2, Accounts: 2})
			s.run(exitDone, "fund --deposit 1eth --reserve 0.5eth --yes")
			var nonce uint64
			code, out, said := s.interfered("exit --yes --interval 1ms", waits, func() {
				test.act(s)
				nonce = s.nonce()
			})
			require.Equal(t, exitLimit, code, out)
			require.Empty(t, out)
			require.Contains(t, said.Error.Message, test.says)
			require.Contains(t, said.Error.Message, "step unlock is done")
			require.Contains(t, said.Error.Hint, cmp.Or(test.hint, "pmctl exit"))
			require.Equal(t, nonce, s.nonce(), "it sent nothing more")
			status := s.run(exitDone, "status")
			require.Equal(t, test.deposit, status["deposit"])
			require.Equal(t, test.lock, status["lock"])
		})
	}
}

// TestAnExitRunAgainTakesWhatIsThere: who runs an exit again agrees to what there is
// then.
func TestAnExitRunAgainTakesWhatIsThere(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{UnlockPeriod: 2, Accounts: 2})
	s.run(exitDone, "fund --deposit 1eth --reserve 0.5eth --yes")
	code, _, _ := s.interfered("exit --yes --interval 1ms", "waiting (current round:", func() { s.fundedByAnother("4eth") })
	require.Equal(t, exitLimit, code)
	require.NoError(t, s.net.NextRound(t.Context(), 2))
	s.run(exitDone, "exit --yes")
	require.Equal(t, "0", s.run(exitDone, "status")["deposit"])
}

// fundedByAnother has another account add to the deposit.
func (s *shell) fundedByAnother(amount string) {
	s.t.Helper()
	value := eth(s.t, amount)
	broker := contract.NewTicketBroker()
	other := s.net.Accounts()[1]
	opts := bind.NewKeyedTransactor(other.Key, s.net.ChainID())
	opts.Context, opts.Value = context.WithoutCancel(s.t.Context()), value
	bound := broker.Instance(s.net.Client(), s.net.Contracts()["TicketBroker"])
	sent, err := bind.Transact(bound, opts, broker.PackFundDepositAndReserveFor(s.net.Accounts()[0].Address, value, eth(s.t, "0wei")))
	require.NoError(s.t, err)
	_, err = bind.WaitMined(opts.Context, s.net.Client(), sent.Hash())
	require.NoError(s.t, err)
}
