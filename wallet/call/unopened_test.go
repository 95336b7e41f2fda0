package call

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/transport"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
)

// TestASessionWithoutAnAnswer: an orchestrator that takes the first payment and does not answer, or
// not to the end, is given up after the timeout, and the session stopped: it may be open.
func TestASessionWithoutAnAnswer(t *testing.T) {
	for name, begin := range map[string]string{"at all": "", "whole": `{"session_id":`} {
		t.Run(name, func(t *testing.T) {
			caller, _, r, _ := captured(t)
			caller.Timeout = 500 * time.Millisecond
			caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get(wire.PaymentHeader) == "" {
					r.ServeHTTP(w, req)
					return
				}
				if begin != "" {
					_, _ = io.WriteString(w, begin)
					_ = http.NewResponseController(w).Flush()
				}
				<-req.Context().Done()
			}))
			result, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session"), SessionOptions{})
			require.ErrorContains(t, err, "no answer within 500ms")
			require.Equal(t, 1, result.Payments)
			if begin == "" {
				require.ErrorAs(t, err, new(*pay.UnknownOutcomeError))
			}
			require.Equal(t, []string{"lv1: challenge", "lv1: stop"}, r.seen)
		})
	}
}

// silentDial lets connections be made on which nothing answers, once a payment was made.
type silentDial struct {
	Purse
	silent atomic.Bool
}

func (s *silentDial) Pay(ctx context.Context, due Due) (*Payment, error) {
	p, err := s.Purse.Pay(ctx, due)
	s.silent.Store(true)
	return p, err
}

// TestAPaidRequestWithoutAConnection is given up after the timeout, and was not sent.
func TestAPaidRequestWithoutAConnection(t *testing.T) {
	caller, account, r, _ := captured(t)
	caller.Timeout = 500 * time.Millisecond
	s := &silentDial{Purse: account}
	caller.Purse = s
	kept := caller.HTTP.Transport.(transport.Transport)
	kept.DisableKeepAlives = true // the payment is to need a connection of its own
	dial := kept.DialContext
	kept.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !s.silent.Load() {
			return dial(ctx, network, address)
		}
		ours, theirs := net.Pipe()
		t.Cleanup(func() { theirs.Close() })
		return ours, nil
	}
	result, err := caller.Call(t.Context(), echoed(t))
	require.Nil(t, result)
	require.ErrorIs(t, err, pay.ErrUnreachable)
	require.ErrorContains(t, err, "no answer within 500ms")
	require.Equal(t, "fixed1: challenge", strings.Join(r.seen, ", "))
}
