package runner

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
		d := &Directory{Every: time.Minute, Candidates: func(context.Context) ([]pay.URL, error) {
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
		candidates, down := []pay.URL{a, b}, map[pay.URL]error{}
		var lost error
		d := &Directory{
			Every: time.Minute, Keep: 10 * time.Minute,
			Candidates: func(context.Context) ([]pay.URL, error) { return candidates, lost },
			Ask: func(_ context.Context, u pay.URL) (*Orchestrator, error) {
				capabilities := []string{"echo/" + u.String()[8:9]}
				return &Orchestrator{Address: u.String(), Capabilities: capabilities}, down[u]
			},
		}
		listed := func(capabilities ...string) (list []string) {
			l, ok := d.List(capabilities...)
			require.True(t, ok)
			for _, o := range l.Orchestrators {
				list = append(list, o.Address)
			}
			return list
		}
		lost = errors.New("no node")
		after := func(wait time.Duration) {
			time.Sleep(wait)
			_ = d.Refresh(t.Context())
		}
		after(0)
		_, ok := d.List()
		require.False(t, ok, "nothing was found so far")

		lost = nil
		after(time.Minute)
		require.Equal(t, []string{a.String(), b.String()}, listed())
		require.Equal(t, []string{b.String()}, listed("nothing", "echo/b"))
		require.Empty(t, listed("nothing"))

		down[b] = errors.New("no answer")
		after(5 * time.Minute)
		require.Equal(t, []string{a.String(), b.String()}, listed())
		l, _ := d.List()
		require.Equal(t, 5*time.Minute, l.Oldest)
		require.NoError(t, l.Err)

		lost = errors.New("no node")
		after(time.Hour)
		l, ok = d.List()
		require.True(t, ok)
		require.Len(t, l.Orchestrators, 2, "which there are is not known")
		require.ErrorIs(t, l.Err, lost)

		lost = nil
		after(time.Minute)
		require.Equal(t, []string{a.String()}, listed(), "too old")
		candidates = []pay.URL{b}
		after(time.Minute)
		require.Empty(t, listed(), "no candidate any more")
	})
}
