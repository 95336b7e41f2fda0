package call_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/call"
)

// TestASessionLeftUnpaid by a process that was stopped, or a machine that slept: the orchestrator
// has ended it meanwhile or will, and takes no tickets for it.
func TestASessionLeftUnpaid(t *testing.T) {
	for name, asleep := range map[string]time.Duration{"ended meanwhile": 20 * time.Second, "for too long": time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var sent uint64
			result, err := w.hold("live1", "", call.Terms{}, func(ctx context.Context) {
				w.ticks(ctx, 2)
				sent = w.sessions().Tickets.Received
				w.clock.Tick(ctx, asleep)
				w.untilStopped(ctx)
			})
			var lost *call.SessionLostError
			require.ErrorAs(t, err, &lost)
			require.NotZero(t, sent)
			require.Equal(t, sent, w.sessions().Tickets.Received, "no tickets for a session that has ended")
			require.EqualValues(t, sent, result.Tickets)
		})
	}
	t.Run("still open", func(t *testing.T) {
		w := newWorld(t)
		result, err := w.hold("lv1", "", call.Terms{}, func(ctx context.Context) {
			w.ticks(ctx, 2)
			w.clock.Tick(ctx, 20*time.Second)
			w.ticks(ctx, 1)
		})
		require.NoError(t, err)
		require.EqualValues(t, 60+35, result.Units/27648000)
	})
}

// TestAPendingPaymentOfASleep is not sent to a session that has ended: it may not have arrived
// before.
func TestAPendingPaymentOfASleep(t *testing.T) {
	for name, asleep := range map[string]time.Duration{"ended meanwhile": 20 * time.Second, "for too long": time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var payments atomic.Int32
			w.between = func(r *http.Request) *http.Response {
				if strings.HasSuffix(r.URL.Path, "/payment") {
					payments.Add(1)
				}
				return nil
			}
			fault := w.net.ControlURL() + "/recipients/0/fault?name=refuse-payment:503"
			_, err := w.hold("live1", "", call.Terms{}, func(ctx context.Context) {
				w.ticks(ctx, 1)
				w.post(fault)
				w.ticks(ctx, 1)
				w.post(fault + "&on=false")
				payments.Store(0)
				w.clock.Tick(ctx, asleep)
				w.untilStopped(ctx)
			})
			require.ErrorAs(t, err, new(*call.SessionLostError))
			require.Zero(t, payments.Load())
		})
	}
}

// TestAnOrchestratorThatRestarts behind a proxy has not ended the session: both what is paid and
// whether it is still open are asked again.
func TestAnOrchestratorThatRestarts(t *testing.T) {
	w := newWorld(t)
	var down atomic.Bool
	w.between = func(r *http.Request) *http.Response {
		if !down.Load() {
			return nil
		}
		return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody, Request: r, Header: http.Header{}}
	}
	result, err := w.hold("lv1", "", call.Terms{}, func(ctx context.Context) {
		w.ticks(ctx, 1)
		down.Store(true)
		w.ticks(ctx, 4) // of which the last ones ask first
		down.Store(false)
		w.ticks(ctx, 1)
	})
	require.NoError(t, err)
	require.Equal(t, 3, result.Payments)
	require.EqualValues(t, result.Tickets, w.sessions().Tickets.Accepted)

	_, err = w.hold("lv1", "", call.Terms{}, func(ctx context.Context) {
		w.ticks(ctx, 1)
		down.Store(true)
		w.untilStopped(ctx)
	})
	require.ErrorAs(t, err, new(*call.SessionLostError))
	require.ErrorContains(t, err, "no payment was answered for 35s")
	require.ErrorContains(t, err, "status 502")
}

// TestASessionPaidAhead by a ticket that is worth minutes is not one that was left unpaid: it has
// the same patience with an orchestrator that fails for a while.
func TestASessionPaidAhead(t *testing.T) {
	w := newWorld(t)
	control := w.net.ControlURL() + "/recipients/0/"
	w.post(control + "runner?name=live1&price=39000000000")
	result, err := w.hold("live1", "", call.Terms{}, func(ctx context.Context) {
		w.ticks(ctx, 8)
		w.post(control + "fault?name=refuse-payment:503")
		w.ticks(ctx, 1)
		w.post(control + "fault?name=refuse-payment:503&on=false")
		w.ticks(ctx, 1)
	})
	require.NoError(t, err)
	require.EqualValues(t, 3, result.Payments)
}

// TestNothingIsPaidAfterTheEnd of a session if its next payment is due at the same time, as in a
// process that stood still. Both are ready then, and the end comes first each time.
func TestNothingIsPaidAfterTheEnd(t *testing.T) {
	w := newWorld(t)
	for range 10 {
		result, err := w.session("live1", "", call.Terms{}, w.clock.Past, call.SessionOptions{For: time.Second})
		require.NoError(t, err)
		require.Equal(t, 1, result.Payments)
	}
}

// TestNothingIsPaidAfterTheCommand of a session, if its next payment is due as the command ends.
func TestNothingIsPaidAfterTheCommand(t *testing.T) {
	w := newWorld(t)
	for range 10 {
		var session context.Context
		begun := make(chan struct{})
		ended := func(time.Duration) <-chan time.Time {
			<-begun
			<-session.Done()
			return w.clock.Past(5 * time.Second)
		}
		result, err := w.session("live1", "", call.Terms{}, ended, call.SessionOptions{Run: func(ctx context.Context, _ call.Session) error {
			session = ctx
			close(begun)
			return nil
		}})
		require.NoError(t, err)
		require.Equal(t, 1, result.Payments)
	}
}

// TestASessionPaidAheadIsContinued by a later run, however long after the last payment.
func TestASessionPaidAheadIsContinued(t *testing.T) {
	w := newWorld(t)
	w.post(w.net.ControlURL() + "/recipients/0/runner?name=live1&price=39000000000")
	paid, over, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = w.hold("live1", "ahead", call.Terms{}, func(ctx context.Context) {
			w.ticks(ctx, 1)
			close(paid)
			<-over
		})
	}()
	defer func() { close(over); <-ended }()
	<-paid
	w.clock.Past(35 * time.Second)
	result, err := w.hold("live1", "ahead", call.Terms{}, func(context.Context) {})
	require.NoError(t, err)
	require.EqualValues(t, 2, result.Payments)
}
