package cmd

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// killedWaiting kills the process of a command line when it asks for its transaction's receipt:
// the transaction is mined, and the store does not know.
func (s *shell) killedWaiting(line string) {
	s.t.Helper()
	direct, err := url.Parse(s.net.RPCURL())
	require.NoError(s.t, err)
	forward := httputil.NewSingleHostReverseProxy(direct)
	ctx, kill := context.WithCancel(s.t.Context())
	defer kill()
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || bytes.Contains(body, []byte("eth_getTransactionReceipt")) {
			kill()
			<-r.Context().Done()
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(w, r)
	}))
	defer node.Close()
	require.Equal(s.t, killed, s.launch(ctx, line+" --rpc-url "+node.URL).code)
}

// TestWhatWasUndoneIsNoAnswer: a run that was killed could not report its transaction, so that
// the same command reports it later. But once others have undone what it did, "done" would be
// false, and the command does what it says. A funding may be gone because it was spent.
func TestWhatWasUndoneIsNoAnswer(t *testing.T) {
	t.Parallel()
	notInShort(t)
	for name, test := range map[string]struct {
		begin func(s *shell)
		line  string
		undo  func(s *shell)
		lock  broker.Lock
		// deposit is what is left of it; "" if lock says enough.
		deposit string
		// continues reports whether the killed run's transaction is the answer.
		continues bool
	}{
		"unlock": {
			begin: func(*shell) {}, line: "unlock --yes",
			undo: func(s *shell) { s.run(exitDone, "unlock cancel --yes") },
			lock: broker.Unlocking,
		},
		"unlock cancel": {
			begin: func(s *shell) { s.run(exitDone, "unlock --yes") }, line: "unlock cancel --yes",
			undo: func(s *shell) { s.run(exitDone, "unlock --yes") },
			lock: broker.Locked,
		},
		"withdraw": {
			begin: func(s *shell) { s.unlocked() }, line: "withdraw --yes",
			undo: func(s *shell) {
				s.run(exitDone, "fund --deposit 2eth --yes")
				s.unlocked()
			},
			lock: broker.Empty,
		},
		"fund, which is never repeated": {
			begin: func(*shell) {}, line: "fund --deposit 1eth --yes",
			undo: func(s *shell) {
				s.unlocked()
				s.run(exitDone, "withdraw --yes")
			},
			lock: broker.Empty, continues: true,
		},
		"exit, killed at its withdrawal": {
			begin: func(s *shell) { s.unlocked() }, line: "exit --yes --interval 1ms",
			undo: func(s *shell) {
				s.fundedByAnother("2eth")
				s.passing()
			},
			lock: broker.Empty,
		},
		"exit that keeps a part, killed at its withdrawal, and funded with another wallet": {
			begin: func(s *shell) { s.unlocked() }, line: "exit --yes --interval 1ms --keep-deposit 0.1eth",
			undo: func(s *shell) {
				s.run(exitDone, "fund --deposit 2eth --yes --cancel-unlock --store "+filepath.Join(s.t.TempDir(), "store.db"))
				s.passing()
			},
			lock: broker.Locked, deposit: "0.1eth",
		},
		"exit": {
			begin: func(*shell) {}, line: "exit --yes --interval 1ms",
			undo: func(s *shell) {
				require.NoError(t, s.net.NextRound(t.Context(), 2))
				s.run(exitDone, "exit --yes --keep-deposit 0.5eth")
				s.passing()
			},
			lock: broker.Empty,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, devnet.Config{UnlockPeriod: 2, Accounts: 2})
			s.run(exitDone, "fund --deposit 1eth --reserve 0.5eth --yes")
			test.begin(s)
			s.killedWaiting(test.line)
			test.undo(s)
			nonce := s.nonce()
			s.run(exitDone, test.line)
			status := s.run(exitDone, "status")
			require.Equal(t, string(test.lock), status["lock"])
			if test.deposit != "" {
				require.Equal(t, eth(t, test.deposit), s.number(status, "deposit"))
			}
			require.Equal(t, test.continues, s.nonce() == nonce)
		})
	}
}

// unlocked unlocks the funds, and lets the unlock period pass.
func (s *shell) unlocked() {
	s.t.Helper()
	s.run(exitDone, "unlock --yes")
	require.NoError(s.t, s.net.NextRound(s.t.Context(), 2))
}

// passing lets rounds pass until the test ends.
func (s *shell) passing() {
	ctx, stop := context.WithCancel(context.WithoutCancel(s.t.Context()))
	passed := make(chan error, 1)
	go func() { passed <- s.passRounds(ctx, true) }()
	s.t.Cleanup(func() {
		stop()
		require.NoError(s.t, <-passed)
	})
}
