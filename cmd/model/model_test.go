// Package model plays actions of people, nodes and systems on pmctl's transactions in random
// order, and compares pmctl's reports with the final chain.
//
// A case is a list of choices, the random bytes of a seed: how three nodes err, what a user
// wants done, and which of several commands takes its next step. pmctl's commands run
// unchanged, in this process; their requests, their output and the clock wait for a scheduler.
package model

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd"
	"github.com/pmctl/pmctl/cmd/internal/cli"
)

var (
	seedFlag  = flag.Uint64("model.seed", 0, "play the case of this seed alone")
	casesFlag = flag.Int("model.cases", 0, "play this number of cases")
	allFlag   = flag.Bool("model.all", false, "play all cases, and only count those that violate something")
)

// TestMain has package os/signal start its goroutine before the first case: one that is started in a
// case belongs to its bubble, and ends the next one.
func TestMain(m *testing.M) {
	cli.FailBrokenPipes()
	os.Exit(m.Run())
}

// suite is the part that all cases share.
type suite struct {
	origin           *origin
	board            *switchboard
	folder           string
	keys, passphrase string
	tree             *cobra.Command

	mu         sync.Mutex
	met        map[string]int
	violations []uint64 // seeds
}

// TestSoakModel plays random cases. A case with a violation is shortened, and printed step by
// step.
func TestSoakModel(t *testing.T) {
	cases := map[string]int{"": 60, "sample": 500, "whole": 20_000}[os.Getenv("PMCTL_SOAK")]
	require.Positive(t, cases, "PMCTL_SOAK is sample or whole")
	first := rand.Uint64N(1 << 40)
	if *casesFlag > 0 {
		cases = *casesFlag
	}
	if *seedFlag > 0 {
		first, cases = *seedFlag, 1
	}
	s := newSuite(t)
	var next atomic.Int64
	t.Run("cases", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				for i := next.Add(1) - 1; i < int64(cases) && !t.Failed(); i = next.Add(1) - 1 {
					s.check(t, first+uint64(i))
				}
			})
		}
	})
	t.Logf("%d cases from seed %d on, of which %d violate something: %v", cases, first, len(s.violations), s.met)
	if cases >= enough {
		s.requireAll(t)
	}
}

// check plays the case of a seed.
func (s *suite) check(t *testing.T, seed uint64) {
	t.Helper()
	steps, err := s.play(t, choicesOf(seed))
	if *seedFlag > 0 {
		t.Log(strings.Join(compact(steps), "\n"))
	}
	switch {
	case err == nil:
	case *allFlag:
		t.Logf("seed %d: %v", seed, err)
		s.mu.Lock()
		s.violations = append(s.violations, seed)
		s.mu.Unlock()
	default:
		s.report(t, seed, err)
	}
}

// that many cases include everything that can happen
const enough = 400

// requireAll fails if something never happened: otherwise no case tests it.
func (s *suite) requireAll(t *testing.T) {
	t.Helper()
	kinds := []string{
		"done", "not done", "exit done", "kill", "interrupt", "bump", "cancel", "wait", "another wallet", "surge", "restore",
		"lagging node", "pending nonces too high", "pruned node", "lost request", "lost answer",
		sendDropped.String(), sendRefusedButTaken.String(), sendRefused.String(), sendKnownLie.String(),
	}
	for _, kind := range kinds {
		require.Positive(t, s.met[kind], kind)
	}
}

func newSuite(t *testing.T) *suite {
	t.Helper()
	s := &suite{origin: newOrigin(t), board: installSwitchboard(t), folder: t.TempDir(), tree: cmd.Tree(), met: map[string]int{}}
	if memory, err := os.MkdirTemp("/dev/shm", "pmctl-model-"); err == nil {
		// Whether a disk keeps its data is tested elsewhere.
		s.folder = memory
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(memory)) })
	}
	s.keys, s.passphrase = filepath.Join(s.folder, "keys"), filepath.Join(s.folder, "passphrase")
	require.NoError(t, writeKey(s.keys, s.origin.account.Key))
	require.NoError(t, os.WriteFile(s.passphrase, []byte(passphrase+"\n"), 0o600))
	return s
}

// choicesOf returns the choices of a seed.
func choicesOf(seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 0))
	list := make([]byte, 30+random.IntN(500))
	for i := range list {
		list[i] = byte(random.Uint32())
	}
	return list
}

// play plays a case, and returns its steps and its violation.
func (s *suite) play(t *testing.T, list []byte) (steps []string, violation error) {
	folder, err := os.MkdirTemp(s.folder, "case")
	require.NoError(t, err)
	defer os.RemoveAll(folder)
	synctest.Test(t, func(*testing.T) {
		w := newWorld(s, folder, &choices{given: list})
		violation = w.run()
		w.close()
		steps = w.steps
		s.mu.Lock()
		defer s.mu.Unlock()
		for kind, times := range w.met {
			s.met[kind] += times
		}
	})
	return steps, violation
}

// report prints the shortest case found with the same violation.
func (s *suite) report(t *testing.T, seed uint64, err error) {
	t.Helper()
	list := s.shrink(t, choicesOf(seed), kindOf(err))
	steps, short := s.play(t, list)
	t.Errorf("seed %d: %v\n\nshortened: %v\n\n%s\n\nagain: go test ./cmd/model -run TestSoakModel -model.seed %d",
		seed, err, short, strings.Join(compact(steps), "\n"), seed)
}

// compact counts repeated steps.
func compact(steps []string) (list []string) {
	for len(steps) > 0 {
		size, times := 1, 1
		for period := 1; period <= 3; period++ {
			n := 1
			for (n+1)*period <= len(steps) && slices.Equal(steps[:period], steps[n*period:(n+1)*period]) {
				n++
			}
			if n > 1 && n*period > size*times {
				size, times = period, n
			}
		}
		list = append(list, steps[:size]...)
		if times > 1 {
			list = append(list, fmt.Sprintf("… %d times", times))
		}
		steps = steps[size*times:]
	}
	return list
}

// TestACaseIsItsChoices: the same choices give the same steps, or no seed would help.
func TestACaseIsItsChoices(t *testing.T) {
	s := newSuite(t)
	for range 5 {
		seed := rand.Uint64N(1 << 40)
		first, one := s.play(t, choicesOf(seed))
		second, other := s.play(t, choicesOf(seed))
		require.Equal(t, first, second, "seed %d", seed)
		require.Equal(t, fmt.Sprint(one), fmt.Sprint(other), "seed %d", seed)
	}
}

// kindOf is a violation without its names and numbers.
func kindOf(err error) string {
	if err == nil {
		return ""
	}
	return regexp.MustCompile(`0x[0-9a-f]+|[0-9]+|\(.*\)|\[.*\]`).ReplaceAllString(err.Error(), "")
}

// shrink simplifies a case with a violation: it makes it shorter, and takes the first
// alternative where another does not matter.
func (s *suite) shrink(t *testing.T, list []byte, kind string) []byte {
	fails := func(list []byte) bool {
		_, err := s.play(t, list)
		return kindOf(err) == kind
	}
	for size := len(list) / 2; size > 0; size /= 2 {
		for size <= len(list) && fails(list[:len(list)-size]) {
			list = list[:len(list)-size]
		}
	}
	for size := max(1, len(list)/4); size > 0; size /= 2 {
		for at := 0; at+size <= len(list); at += size {
			simpler := append([]byte(nil), list...)
			clear(simpler[at : at+size])
			if string(simpler) != string(list) && fails(simpler) {
				list = simpler
			}
		}
	}
	return list
}
