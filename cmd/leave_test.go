package cmd

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestSoakKilledExit kills exits at random moments, three times each, and runs them
// again until they end. Each comes to its end with one transaction a step, and every wei
// is accounted for.
func TestSoakKilledExit(t *testing.T) {
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

		killed := 0
		var out string
		for ended := false; !ended; {
			ctx, cancel := context.WithCancel(t.Context())
			last := killed == 3
			if !last {
				time.AfterFunc(time.Duration(rand.IntN(600))*time.Millisecond, cancel)
			}
			rounds := make(chan error, 1)
			go func() { rounds <- s.passRounds(ctx, last) }()
			printed, err := s.processUntil(ctx, line)
			cancel()
			require.NoError(t, <-rounds)
			out, ended = printed, err == nil || strings.HasSuffix(printed, "}\n")
			if !ended {
				require.Less(t, killed, 3, "%v", err)
				killed++
			}
		}
		steps, last := uint64(2), stepWithdraw
		if keep.Sign() > 0 {
			steps, last = 3, stepKeep
		}
		require.Contains(t, out, fmt.Sprintf(`"step": %q`, last))
		require.Equal(t, nonce+steps, s.nonce(), "run %d", run)
		status := s.run(exitDone, "status")
		require.Equal(t, keep, new(big.Int).Add(s.number(status, "deposit"), s.number(status, "reserve")), "run %d", run)
		require.Equal(t, new(big.Int).Sub(before, s.fees(nonce)), s.whole(), "run %d", run)
	}
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
	amount, err := parseAmount("", text)
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
	signer := types.LatestSignerForChainID(s.net.ChainID())
	account := crypto.PubkeyToAddress(s.net.Accounts()[0].Key.PublicKey)
	number, err := node.BlockNumber(s.t.Context())
	require.NoError(s.t, err)
	sum := new(big.Int)
	for ; number > 0; number-- {
		block, err := node.BlockByNumber(s.t.Context(), new(big.Int).SetUint64(number))
		require.NoError(s.t, err)
		for _, sent := range block.Transactions() {
			sender, err := types.Sender(signer, sent)
			require.NoError(s.t, err)
			if sender != account || sent.Nonce() < from {
				continue
			}
			receipt, err := node.TransactionReceipt(s.t.Context(), sent.Hash())
			require.NoError(s.t, err)
			sum.Add(sum, new(big.Int).Mul(receipt.EffectiveGasPrice, new(big.Int).SetUint64(receipt.GasUsed)))
		}
	}
	return sum
}
