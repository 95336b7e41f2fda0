package cmd

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestSoakKilledExit kills exits at random moments, three times each, and runs them
// again until they end. Each comes to its end with one transaction a step, and every wei
// is accounted for.
func TestSoakKilledExit(t *testing.T) {
	t.Parallel()
	notInShort(t)
	runs := 3
	switch os.Getenv("PMCTL_SOAK") {
	case "sample":
		runs = 5
	case "whole":
		runs = 40
	}
	s := newShell(t, devnet.Config{UnlockPeriod: 2})
	for run := range runs {
		line := "exit --yes --interval 20ms"
		keep := new(big.Int)
		if run%2 == 1 {
			line += " --keep-deposit 0.1eth --keep-reserve 7wei"
			keep.Add(eth(t, "0.1eth"), big.NewInt(7))
		}
		s.run(exitDone, "fund --deposit 1.000000000000000001eth --reserve 0.3eth --yes")
		before, nonce := s.whole(), s.nonce()

		kills := 0
		var out string
		for ended := false; !ended; {
			ctx, cancel := context.WithCancel(t.Context())
			last := kills == 3
			if !last {
				time.AfterFunc(time.Duration(rand.IntN(600))*time.Millisecond, cancel)
			}
			rounds := make(chan error, 1)
			go func() { rounds <- s.passRounds(ctx, last) }()
			end := s.launch(ctx, line+" --output json")
			cancel()
			require.NoError(t, <-rounds)
			out, ended = end.out, end.code == exitDone || strings.HasSuffix(end.out, "}\n")
			if !ended {
				require.Equal(t, killed, end.code, end.errs)
				kills++
			}
		}
		steps, last := uint64(2), "withdraw"
		if keep.Sign() > 0 {
			steps, last = 3, "keep"
		}
		require.Contains(t, out, fmt.Sprintf(`"step": %q`, last))
		require.Equal(t, nonce+steps, s.nonce(), "run %d", run)
		status := s.run(exitDone, "status")
		require.Equal(t, keep, new(big.Int).Add(s.number(status, "deposit"), s.number(status, "reserve")), "run %d", run)
		require.Equal(t, new(big.Int).Sub(before, s.fees(nonce)), s.whole(), "run %d", run)
	}
}

// TestSoakExitKilledAtEachRequest kills an exit at its first request to the node, then one
// at its second, and so on to the last: before the node has it, and before the answer is
// there. Run again each comes to its end, once.
func TestSoakExitKilledAtEachRequest(t *testing.T) {
	t.Parallel()
	notInShort(t)
	stride := 7
	switch os.Getenv("PMCTL_SOAK") {
	case "sample":
		stride = 3
	case "whole":
		stride = 1
	}
	s := newShell(t, devnet.Config{UnlockPeriod: 2})
	direct, err := url.Parse(s.net.RPCURL())
	require.NoError(t, err)
	forward := httputil.NewSingleHostReverseProxy(direct)
	const line = "exit --yes --interval 20ms --keep-deposit 0.1eth"
	points := 0
	for at := 1; ; at += stride {
		s.run(exitDone, "fund --deposit 1eth --reserve 0.3eth --yes")
		before, nonce := s.whole(), s.nonce()
		ctx, kill := context.WithCancel(t.Context())
		var requests atomic.Int64
		node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1) != int64(at) {
				forward.ServeHTTP(w, r)
				return
			}
			if at%2 == 0 {
				forward.ServeHTTP(httptest.NewRecorder(), r)
			}
			kill()
			panic(http.ErrAbortHandler) // no client gets an answer
		}))
		rounds := make(chan error, 1)
		passing, stop := context.WithCancel(t.Context())
		go func() { rounds <- s.passRounds(passing, false) }()
		end := s.launch(ctx, line+" --rpc-url "+node.URL)
		kill()
		node.Close()
		if end.code != exitDone {
			require.Equal(t, killed, end.code, "at request %d: %s", at, end.errs)
			require.NoError(t, s.process(line), "killed at request %d", at)
		}
		stop()
		require.NoError(t, <-rounds)
		require.Equal(t, nonce+3, s.nonce(), "killed at request %d", at)
		status := s.run(exitDone, "status")
		require.Equal(t, eth(t, "0.1eth"), s.number(status, "deposit"), "killed at request %d", at)
		require.Zero(t, s.number(status, "reserve").Sign(), "killed at request %d", at)
		require.Equal(t, new(big.Int).Sub(before, s.fees(nonce)), s.whole(), "killed at request %d", at)
		s.run(exitDone, "fund --deposit 1wei --yes") // so that the next exit is another one
		if end.code == exitDone {
			break
		}
		points++
	}
	t.Logf("killed at %d points", points)
}

// passRounds lets rounds pass while funds unlock; without hurry, so that a run has time
// to be killed while it waits.
func (s *shell) passRounds(ctx context.Context, hurry bool) error {
	pause := 150 * time.Millisecond
	if hurry {
		pause = 20 * time.Millisecond
	}
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := s.net.NextRound(context.WithoutCancel(ctx), 1); err != nil {
				return err
			}
		}
	}
}

func eth(t *testing.T, text string) *big.Int {
	t.Helper()
	amount, err := cli.ParseAmount("", text)
	require.NoError(t, err)
	return amount.Big()
}

// whole is all that the account has: in its balance, its deposit and its reserve.
func (s *shell) whole() *big.Int {
	s.t.Helper()
	data := s.run(exitDone, "status")
	sum := new(big.Int)
	for _, field := range []string{"balance", "deposit", "reserve"} {
		sum.Add(sum, s.number(data, field))
	}
	return sum
}

func (s *shell) node() *ethclient.Client {
	s.t.Helper()
	node, err := ethclient.DialContext(s.t.Context(), s.net.RPCURL())
	require.NoError(s.t, err)
	s.t.Cleanup(node.Close)
	return node
}

// nonce is how many transactions of the account were mined.
func (s *shell) nonce() uint64 {
	s.t.Helper()
	nonce, err := s.node().NonceAt(s.t.Context(), crypto.PubkeyToAddress(s.net.Accounts()[0].Key.PublicKey), nil)
	require.NoError(s.t, err)
	return nonce
}

// fees is what the gas of the account's transactions has cost, from a nonce on.
func (s *shell) fees(from uint64) *big.Int {
	s.t.Helper()
	node := s.node()
	sum := new(big.Int)
	for _, entry := range s.run(exitDone, "tx list --all")["transactions"].([]any) {
		entry := entry.(map[string]any)
		if s.number(entry, "nonce").Uint64() < from {
			continue
		}
		receipt, err := node.TransactionReceipt(s.t.Context(), common.HexToHash(entry["transaction_hash"].(string)))
		require.NoError(s.t, err)
		sum.Add(sum, new(big.Int).Mul(receipt.EffectiveGasPrice, new(big.Int).SetUint64(receipt.GasUsed)))
	}
	return sum
}
