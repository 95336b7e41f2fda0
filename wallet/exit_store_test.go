package wallet_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
	"github.com/pmctl/pmctl/wallet/wei"
)

// noting calls a function with each note.
type noting func(text string)

func (n noting) Note(text string)                    { n(text) }
func (noting) Confirm(context.Context, string) error { return nil }
func (noting) Asks() bool                            { return false }
func (noting) Progress(func() string) func()         { return func() {} }

// TestAnExitOutlastsItsDatabase stops the database while an exit waits for rounds, and starts it
// again: the exit goes on.
func TestAnExitOutlastsItsDatabase(t *testing.T) {
	t.Parallel()
	var server pgtest.Server
	r := newRich(t, map[string]string{"deposit": "1eth"})
	r.store = server.Database(t)
	t.Cleanup(server.Stop)
	r.fund(wei.FromUint64(1))
	down := false
	config := r.reopens()
	config.UI = noting(func(text string) {
		switch {
		case strings.Contains(text, "waiting (current round"):
			server.Crash(t, true)
			down = true
		case strings.Contains(text, "asking again") && down:
			down = false
			server.Start(t)
			require.NoError(t, r.NextRound(t.Context(), 1))
		}
	})
	w, err := wallet.Open(t.Context(), config)
	require.NoError(t, err)
	defer w.Close()
	_, err = w.Exit(t.Context(), wallet.ExitOptions{Interval: time.Millisecond, SendOptions: wallet.SendOptions{Agreed: true}})
	require.NoError(t, err)
	require.False(t, down)
	r.requireFunds("0 wei", "0 wei")
}
