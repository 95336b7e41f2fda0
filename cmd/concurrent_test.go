package cmd

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// process runs a command line in a process of its own.
func (s *shell) process(line string) error { return s.processUntil(s.t.Context(), line) }

// processUntil is process, killed with SIGKILL when ctx ends.
func (s *shell) processUntil(ctx context.Context, line string) error {
	cmd := exec.CommandContext(ctx, "pmctl", append(strings.Fields(line), "--output", "json")...)
	cmd.Env = os.Environ()
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pmctl %s: %w: %s", line, err, out)
	}
	return nil
}

// TestProcessesShareAnAccount funds from many processes at once. Each with an id of its
// own gets a transaction of its own; all with one id share one.
func TestProcessesShareAnAccount(t *testing.T) {
	const processes = 20
	s := newShell(t, devnet.Config{})
	require.NoError(t, s.net.SetAutomine(t.Context(), false))
	funded := func(id func(int) string) {
		var group errgroup.Group
		for i := range processes {
			group.Go(func() error { return s.process("fund --deposit 7wei --yes --no-wait --request-id " + id(i)) })
		}
		require.NoError(t, group.Wait())
		require.NoError(t, s.net.Mine(t.Context(), 1))
	}

	funded(func(i int) string { return fmt.Sprintf("mine-%d", i) })
	require.Equal(t, big.NewInt(7*processes), s.number(s.run(exitDone, "status"), "deposit"))
	nonces := make(map[string]bool)
	for _, entry := range s.run(exitDone, "tx list --all")["transactions"].([]any) {
		nonces[entry.(map[string]any)["nonce"].(string)] = true
	}
	require.Len(t, nonces, processes)

	funded(func(int) string { return "ours" })
	require.Equal(t, big.NewInt(7*(processes+1)), s.number(s.run(exitDone, "status"), "deposit"))
	require.Len(t, s.run(exitDone, "tx list --all")["transactions"], processes+1)
}

// TestSoakKilledFunding kills the process at a random moment, and then does the obvious.
func TestSoakKilledFunding(t *testing.T) {
	runs := 10
	switch os.Getenv("PMCTL_SOAK") {
	case "sample":
		runs = 30
	case "whole":
		runs = 300
	}
	s := newShell(t, devnet.Config{})
	killed := 0
	for run := range runs {
		const line = "fund --deposit 7wei --yes"
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(250))*time.Millisecond)
		err := s.processUntil(ctx, line)
		cancel()
		if err != nil {
			killed++
			require.NoError(t, s.process(line))
		}
		require.Equal(t, big.NewInt(7*int64(run+1)), s.number(s.run(exitDone, "status"), "deposit"), "run %d", run)
	}
	t.Logf("%d of %d runs were killed", killed, runs)
}
