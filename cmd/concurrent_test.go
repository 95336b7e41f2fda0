package cmd

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// process runs a command line in a process of its own.
func (s *shell) process(line string) error {
	end := s.launch(s.t.Context(), line+" --output json")
	if end.code == exitDone {
		return nil
	}
	return fmt.Errorf("pmctl %s: exit code %d: %s", line, end.code, end.errs)
}

// killed is the exit code of a process that did not end by itself.
const killed = -1

// ending is how a process ended, and what it printed.
type ending struct {
	code      int
	out, errs string
}

// launch runs a command line in a process of its own, and kills it with SIGKILL when ctx
// ends.
func (s *shell) launch(ctx context.Context, line string) ending {
	cmd := exec.CommandContext(ctx, "pmctl", strings.Fields(line)...)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(s.env["XDG_STATE_HOME"])) // not the one of who runs the tests
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	end := ending{code: killed, out: out.String(), errs: errs.String()}
	if cmd.ProcessState != nil {
		end.code = cmd.ProcessState.ExitCode() // its own, even when it was to be killed at that moment
	} else if ctx.Err() == nil {
		s.t.Error(err)
	}
	return end
}

// TestProcessesShareAnAccount funds from many processes at once. Each with an id of its
// own gets a transaction of its own; all with one id share one.
func TestProcessesShareAnAccount(t *testing.T) {
	t.Parallel()
	const processes = 20
	s := newShell(t, devnet.Config{})
	require.NoError(t, s.net.SetAutomine(t.Context(), false))
	funded := func(id func(int) string) {
		var group errgroup.Group
		for i := range processes {
			group.Go(func() error {
				return s.process("fund --deposit 7wei --yes --no-wait --with-pending --request-id " + id(i))
			})
		}
		require.NoError(t, group.Wait())
		require.NoError(t, s.net.Mine(t.Context(), 1))
	}

	funded(func(i int) string { return fmt.Sprintf("mine-%d", i) })
	require.Equal(t, big.NewInt(7*processes), s.number(s.run(exitDone, "status"), "deposit"))
	nonces := make(map[float64]bool)
	for _, entry := range s.run(exitDone, "tx list --all")["transactions"].([]any) {
		nonces[entry.(map[string]any)["nonce"].(float64)] = true
	}
	require.Len(t, nonces, processes)

	funded(func(int) string { return "ours" })
	require.Equal(t, big.NewInt(7*(processes+1)), s.number(s.run(exitDone, "status"), "deposit"))
	require.Len(t, s.run(exitDone, "tx list --all")["transactions"], processes+1)
}

// TestSoakKilledFunding kills the process at a random moment, and then does the obvious:
// with a request id the same again whatever was seen, without one the same again unless
// the result was printed.
func TestSoakKilledFunding(t *testing.T) {
	t.Parallel()
	notInShort(t)
	runs := 10
	switch os.Getenv("PMCTL_SOAK") {
	case "sample":
		runs = 30
	case "whole":
		runs = 300
	}
	s := newShell(t, devnet.Config{})
	kills, deposit := 0, int64(0)
	for run := range runs {
		// An amount of its own: what was killed when it had printed its result, and was
		// not to be run again, would be continued by the same command later.
		line := fmt.Sprintf("fund --deposit %dwei --yes", 7+run)
		deposit += int64(7 + run)
		if run%2 == 1 {
			line += fmt.Sprintf(" --request-id run-%d", run)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(130))*time.Millisecond)
		end := s.launch(ctx, line+" --output json")
		cancel()
		if end.code != exitDone {
			require.Equal(t, killed, end.code, end.errs)
			kills++
			if run%2 == 1 || !strings.HasSuffix(end.out, "}\n") {
				require.NoError(t, s.process(line))
			}
		}
		require.Equal(t, big.NewInt(deposit), s.number(s.run(exitDone, "status"), "deposit"), "run %d ended with %+v", run, end)
	}
	t.Logf("%d of %d runs were killed", kills, runs)
}
