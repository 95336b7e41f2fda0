package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/live"
)

// liveSaid is what a process prints of a payment once that is recorded.
type liveSaid struct {
	Stream string
	Nonces pm.NonceRange
	State  json.RawMessage
}

// nextOf is the request of a stream after a state, nil for the first. Another process makes
// the same one.
func nextOf(client, stream string, state *live.Session) LiveRequest {
	r := liveRequest(7, 1) // all streams share one set of params
	r.Client, r.State, r.Key, r.Cap = client, state, stream, 0
	sequence := uint64(0)
	if state != nil {
		sequence = state.SequenceNumber + 1
		r.At = liveDay.Add(time.Duration(sequence) * time.Second)
	}
	r.Info = fmt.Sprint(stream, " ", sequence)
	return r
}

const liveStreams = 8

// payLiveForever pays for streams side by side until it is killed, or the allowance ends.
func payLiveForever(location string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s, err := Open(context.Background(), location)
	if err != nil {
		return fail(err)
	}
	client, err := s.Clients().Named(context.Background(), "shared")
	if err != nil {
		return fail(err)
	}
	queue := livePayments(s).Queue()
	defer queue.Close()
	var out sync.Mutex
	var all sync.WaitGroup
	for i := range liveStreams {
		all.Go(func() {
			stream := fmt.Sprintf("%d of %d", i, os.Getpid())
			var state *live.Session
			for {
				p, err := queue.Pay(context.Background(), nextOf(client.ID, stream, state))
				if errors.As(err, new(*AllowanceError)) {
					return
				}
				if err != nil {
					fail(err)
					return
				}
				state = p.Session
				text, _ := state.Encode()
				line, _ := json.Marshal(liveSaid{stream, p.Nonces, text})
				out.Lock()
				fmt.Println(string(line))
				out.Unlock()
			}
		})
	}
	all.Wait()
	return 0
}

// TestKilledLivePayments: processes are killed while they pay for many streams from one
// allowance and one set of params. No nonce is there twice, the allowance holds to the ticket,
// each payment that was reported has one event, and an answer that was lost is had again.
func TestKilledLivePayments(t *testing.T) { onEach(t, killedLivePayments) }

func killedLivePayments(t *testing.T, place place) {
	const allowed, processes = 400, 4
	location := place(t)
	s := open(t, location)
	client := addClient(t, s, "shared", Terms{EVTotal: worth(t, allowed)})
	var said []liveSaid
	for process := range processes {
		child := child("live", location)
		stdout, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(stdout)
		for n := 0; lines.Scan(); n++ {
			var one liveSaid
			require.NoError(t, json.Unmarshal(lines.Bytes(), &one))
			said = append(said, one)
			if n == 17*(process+1) && process < processes-1 {
				require.NoError(t, child.Process.Kill())
			}
		}
		err = child.Wait()
		require.Equal(t, process == processes-1, err == nil, "%v", err)
	}

	events := make(map[string]*LivePayment) // by stream and sequence, which Info has
	recorded, err := s.LiveUsage().After(t.Context(), 0, 2*allowed)
	require.NoError(t, err)
	var ranges []pm.NonceRange
	for _, p := range recorded {
		require.NotContains(t, events, p.Info)
		events[p.Info] = p
		ranges = append(ranges, p.Nonces)
	}
	requireGapless(t, ranges, 1)
	require.Len(t, ranges, allowed)

	newest, lost := make(map[string]*live.Session), 0
	for _, one := range said {
		session, err := live.DecodeSession(one.State)
		require.NoError(t, err)
		event := events[fmt.Sprint(one.Stream, " ", session.SequenceNumber)]
		require.NotNil(t, event, "%s: %s", one.Stream, one.State)
		require.Equal(t, one.Nonces, event.Nonces)
		require.Equal(t, session, event.Session)
		newest[one.Stream] = session
	}
	for stream, state := range newest {
		next := nextOf(client, stream, state)
		p, err := livePayments(s).Pay(t.Context(), next)
		if event := events[next.Info]; event != nil {
			require.NoError(t, err)
			requireAgain(t, event, p)
			lost++
			continue
		}
		errorAs[*AllowanceError](t, err)
	}
	t.Logf("%d answers were lost", lost)
	spent, err := s.LiveUsage().Spent(t.Context(), client, liveDay)
	require.NoError(t, err)
	require.EqualValues(t, allowed, spent.Total.Tickets)
	requireSound(t, location)
}
