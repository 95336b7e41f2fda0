package runner

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
	"github.com/pmctl/pmctl/wallet/pay"
)

func urlOf(t *testing.T, text string) pay.URL {
	t.Helper()
	u, err := pay.ParseURL(text)
	require.NoError(t, err)
	return u
}

func TestDirectoryRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rounds atomic.Int32
		d := &Directory{Every: time.Minute, Candidates: func(context.Context) ([]Candidate, error) {
			rounds.Add(1)
			return nil, nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			d.Run(ctx)
		}()
		time.Sleep(150 * time.Second)
		require.EqualValues(t, 3, rounds.Load())
		cancel()
		<-ended
	})
}

// TestDirectoryKeepsWhatItFound: one round that fails takes nothing away, until that is too old.
func TestDirectoryKeepsWhatItFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := urlOf(t, "https://a:1"), urlOf(t, "https://b:1")
		candidates, down := []Candidate{{a, 1}, {b, 0.5}, {a, 1}}, map[pay.URL]error{}
		var lost, ended error
		rounds := 0
		d := &Directory{
			Every: time.Minute, Keep: 10 * time.Minute,
			Candidates: func(context.Context) ([]Candidate, error) { return slices.Clone(candidates), lost },
			Ask: func(_ context.Context, u pay.URL) (Offered, error) {
				if down[u] != nil {
					return Offered{}, down[u]
				}
				return Offered{Models: []string{"echo/" + u.String()[8:9]}}, nil
			},
			Ended: func(_, _ int, err error) { ended, rounds = err, rounds+1 },
		}
		listed := func(capabilities ...string) (list []string) {
			l, ok := d.List(capabilities...)
			require.True(t, ok)
			for _, o := range l.Orchestrators {
				list = append(list, o.Address)
			}
			return list
		}
		after := func(wait time.Duration) {
			time.Sleep(wait)
			_ = d.Refresh(t.Context()) // Ended gets the error
		}
		lost = errors.New("no node")
		after(0)
		_, ok := d.List()
		require.False(t, ok, "nothing was found so far")

		lost = nil
		after(time.Minute)
		require.Equal(t, []string{a.String(), b.String()}, listed())
		require.Equal(t, []string{b.String()}, listed("nothing", "echo/b"))
		require.Empty(t, listed("nothing"))
		l, _ := d.List("echo/b")
		require.Equal(t, 0.5, l.Orchestrators[0].Score)

		down[b] = errors.New("no answer")
		after(5 * time.Minute)
		require.Equal(t, []string{a.String(), b.String()}, listed())
		l, _ = d.List()
		require.Equal(t, 5*time.Minute, l.Oldest)
		require.ErrorIs(t, ended, down[b])

		lost = errors.New("no node")
		after(time.Hour)
		require.Equal(t, []string{a.String(), b.String()}, listed(), "which there are is not known")
		require.ErrorIs(t, ended, lost)

		lost = nil
		known := candidates
		candidates = nil
		after(time.Minute)
		require.Equal(t, []string{a.String(), b.String()}, listed(), "an empty list of candidates is none")
		require.ErrorIs(t, ended, ErrNoCandidates)

		candidates = known
		after(time.Minute)
		require.Equal(t, []string{a.String()}, listed(), "too old")
		candidates = []Candidate{{b, 1}}
		after(time.Minute)
		_, ok = d.List()
		require.False(t, ok, "the only candidate never answered")
		require.ErrorIs(t, ended, down[b])
		require.Equal(t, 7, rounds)
	})
}

// TestAFirstRoundWithASlowOrchestrator lists who has answered, and an app that none of them has may be that of another one.
func TestAFirstRoundWithASlowOrchestrator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast, slow := urlOf(t, "https://fast:1"), urlOf(t, "https://slow:1")
		d := &Directory{
			Candidates: func(context.Context) ([]Candidate, error) { return []Candidate{{slow, 1}, {fast, 1}}, nil },
			Ask: func(_ context.Context, u pay.URL) (Offered, error) {
				if u == slow {
					time.Sleep(time.Minute)
				}
				return Offered{Models: []string{"echo/" + u.String()[8:12]}}, nil
			},
		}
		var round sync.WaitGroup
		round.Go(func() { _ = d.Refresh(t.Context()) })
		time.Sleep(time.Second)
		l, ok := d.List()
		require.True(t, ok)
		require.Len(t, l.Orchestrators, 1)
		require.Equal(t, time.Second, l.Oldest)
		_, ok = d.List("echo/slow")
		require.False(t, ok, "it may be the other's")
		round.Wait()
		l, ok = d.List("echo/slow")
		require.True(t, ok)
		require.Len(t, l.Orchestrators, 1)
		l, ok = d.List("echo/none")
		require.True(t, ok)
		require.Empty(t, l.Orchestrators)
	})
}

// TestAPartOfAnAnswer: runners and models are kept apart, so that one that cannot be asked for
// takes neither itself nor the other away.
func TestAPartOfAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := urlOf(t, "https://a:1")
		var offered Offered
		d := &Directory{
			Keep:       10 * time.Minute,
			Candidates: func(context.Context) ([]Candidate, error) { return []Candidate{{a, 1}}, nil },
			Ask:        func(context.Context, pay.URL) (Offered, error) { return offered, errors.New("in part") },
		}
		for _, step := range []struct {
			offered Offered
			want    []string
			oldest  time.Duration
		}{
			{Offered{Runners: []Runner{{App: "echo/live"}, {App: "echo/live"}}}, []string{"echo/live"}, 0},
			{Offered{Models: []string{"llm/m"}}, []string{"echo/live", "llm/m"}, 4 * time.Minute},
			{Offered{Models: []string{"llm/m"}}, []string{"echo/live", "llm/m"}, 8 * time.Minute},
			{Offered{Models: []string{"llm/m"}}, []string{"llm/m"}, 0},
			{Offered{Models: []string{}, Runners: []Runner{{App: "echo/live"}}}, []string{"echo/live"}, 0},
		} {
			offered = step.offered
			require.NoError(t, d.Refresh(t.Context()))
			l, ok := d.List()
			require.True(t, ok)
			require.Equal(t, step.want, l.Orchestrators[0].Capabilities)
			require.NotNil(t, l.Orchestrators[0].Runners)
			require.Equal(t, step.oldest, l.Oldest)
			time.Sleep(4 * time.Minute)
		}
	})
}

// The time that the machine slept counts towards the age of an answer, too.
func TestAnAnswerAgesInASleep(t *testing.T) {
	found := part[string]{[]string{"llm/m"}, time.Now()}
	later := clocktest.Asleep(found.at, 2*time.Hour)
	require.Equal(t, 2*time.Hour, found.age(later))
	require.Equal(t, found, found.renewed(nil, later, 2*time.Hour))
	require.Zero(t, found.renewed(nil, later, time.Hour))
	require.Zero(t, found.age(clocktest.Asleep(found.at, -2*time.Hour)), "a clock that was set back makes nothing older")
}
