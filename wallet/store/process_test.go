package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/pmctl/pmctl/pm"
)

// The test binary is also the other process: this variable says what it does.
const (
	roleVariable     = "PMCTL_STORE_TEST_ROLE"
	locationVariable = "PMCTL_STORE_TEST_LOCATION"
)

func TestMain(m *testing.M) {
	location := os.Getenv(locationVariable)
	switch os.Getenv(roleVariable) {
	case "":
		goleak.VerifyTestMain(serving{m})
	case "reserve":
		os.Exit(reserveForever(location, false))
	case "insist":
		os.Exit(reserveForever(location, true))
	case "try":
		os.Exit(tryOnce(location))
	case "spend":
		os.Exit(spendAll(location))
	case "open":
		os.Exit(openOnce(location))
	case "live":
		os.Exit(payLiveForever(location))
	}
}

// serving ends the server when all tests have run.
type serving struct{ m *testing.M }

func (s serving) Run() int {
	defer server.Stop()
	return s.m.Run()
}

// retryAfter is the pause after an attempt that failed.
const retryAfter = 20 * time.Millisecond

// reserveForever prints a line for each durable reservation, until its stdin ends or it is
// killed. With insist it prints a line for each failure too, and continues.
func reserveForever(path string, insist bool) int {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	s, err := Open(context.Background(), path)
	for ; err != nil && insist && ctx.Err() == nil; s, err = Open(context.Background(), path) {
		fmt.Println(errors.Is(err, ErrUnreachable), err) // the server was killed before this process came that far
		<-time.After(retryAfter)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer s.Close()
	for ctx.Err() == nil {
		nonces, err := s.Chain(testChain).ReserveNonces(context.Background(), common.Address{1}, params(1), 2, 0)
		if err != nil && insist {
			fmt.Println(errors.Is(err, ErrUnreachable), err)
			<-time.After(retryAfter)
			continue
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(nonces.First, nonces.Count)
	}
	return 0
}

// tryOnce exits with 3 when the store is locked.
func tryOnce(path string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer cancel()
	s, err := Open(ctx, path)
	if err == nil {
		_, err = s.Chain(testChain).ReserveNonces(ctx, common.Address{1}, params(1), 2, 0)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return 3
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// openOnce prints why the store cannot be opened.
func openOnce(path string) int {
	s, err := Open(context.Background(), path)
	if err == nil {
		_, err = s.Chain(testChain).ReserveNonces(context.Background(), common.Address{1}, params(1), 2, 0)
	}
	fmt.Println(errors.Is(err, ErrAccess), err)
	return 0
}

func child(role, location string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, locationVariable+"="+location)
	cmd.Stderr = os.Stderr
	return cmd
}

// childFails expects another process to find the store locked.
func childFails(t *testing.T, path string) error {
	err := child("try", path).Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the other process got the lock")
	require.Equal(t, 3, exit.ExitCode())
	return nil
}

// Many processes reserve on one session. Some are killed and replaced. No nonce appears twice,
// and no reported one is lost.
func TestSoakManyProcesses(t *testing.T) {
	rounds := map[string]int{"": 1, "sample": 5, "whole": 100}[os.Getenv("PMCTL_SOAK")]
	require.Positive(t, rounds, "PMCTL_SOAK is sample or whole")
	for range rounds {
		onEach(t, manyProcesses)
	}
}

func manyProcesses(t *testing.T, place place) {
	path := place(t)
	const processes, lines, victims = 6, 25, 6
	ranges := make(chan []pm.NonceRange)
	run := func(kill bool) {
		cmd := child("reserve", path)
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		go func() {
			got, enough := []pm.NonceRange{}, lines
			if kill {
				enough = 5
			}
			scanner := bufio.NewScanner(stdout)
			for scanner.Scan() {
				var r pm.NonceRange
				if n, _ := fmt.Sscan(scanner.Text(), &r.First, &r.Count); n == 2 {
					got = append(got, r)
				}
				if len(got) == enough {
					if kill {
						_ = cmd.Process.Kill()
					}
					stdin.Close()
				}
			}
			if err := cmd.Wait(); err != nil && !kill {
				t.Error(err)
			}
			ranges <- got
		}()
	}
	for range processes {
		run(false)
	}
	for range victims {
		run(true)
	}
	var all []pm.NonceRange
	for range processes + victims {
		all = append(all, <-ranges...)
	}

	s := open(t, path)
	require.Nil(t, s.Retirement(), "processes that are killed leave the store as it was")
	owner := make(map[uint32]bool)
	for _, r := range all {
		for nonce := r.First; nonce < r.First+r.Count; nonce++ {
			require.False(t, owner[nonce], "nonce %d was reserved twice", nonce)
			owner[nonce] = true
		}
	}
	used, err := s.Chain(testChain).UsedNonces(t.Context(), params(1).RecipientRandHash)
	require.NoError(t, err)
	for nonce := range owner {
		require.LessOrEqual(t, nonce, used)
	}
	// A victim may have reserved once more than it could print.
	require.LessOrEqual(t, int(used)-len(owner), 2*victims)
	require.Equal(t, used+1, reserve(t, s, params(1), 1).First)

	var whole []pm.NonceRange
	for _, row := range ledger(t, s) {
		whole = append(whole, pm.NonceRange{First: row.first, Count: row.nonces})
	}
	requireGapless(t, whole, 1)
}

// Several processes create the same new store at once, and all get the same one.
func TestManyProcessesMakeTheStore(t *testing.T) { onEach(t, manyProcessesMakeTheStore) }

func manyProcessesMakeTheStore(t *testing.T, place place) {
	path := place(t)
	var children []*exec.Cmd
	for range 8 {
		cmd := child("try", path)
		require.NoError(t, cmd.Start())
		children = append(children, cmd)
	}
	late := 0
	for _, cmd := range children {
		if err := cmd.Wait(); err != nil {
			require.Equal(t, 3, cmd.ProcessState.ExitCode(), "only a full queue is an excuse")
			late++
		}
	}
	// A late process may have got its nonces just then.
	first := reserve(t, open(t, path), params(1), 1).First
	require.GreaterOrEqual(t, int(first), 1+2*(len(children)-late))
	require.LessOrEqual(t, int(first), 1+2*len(children))
}
