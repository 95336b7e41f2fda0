package pay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/store"
)

// A recipient that is busy is asked again later: for params, and with the same tickets.
func TestABusyRecipient(t *testing.T) {
	for _, text := range []string{"OrchestratorCapped", "OrchestratorBusy", "insufficient capacity"} {
		u := serveGRPC(t, true, orchestrator(func(context.Context, *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
			return nil, status.Error(codes.Unknown, text)
		}))
		_, err := (&Client{Timeout: testTimeout}).Fetch(t.Context(), u, signedRequest(t))
		var refused *RefusedError
		require.ErrorAs(t, err, &refused)
		require.ErrorIs(t, err, ErrBusy)
		require.Equal(t, "it is busy: try again later, or pay another recipient", refused.Hint())
	}

	for _, c := range []struct {
		status int
		text   string
	}{{403, "OrchestratorCapped"}, {503, "OrchestratorBusy"}, {503, "Service Unavailable"}, {429, "Too Many Requests"}} {
		shop, s := newShop(t)
		s.Request, s.Requests = &store.Request{ID: "one", Digest: "digest"}, s.Payer.Nonces.(*store.Chain)
		shop.answer = func(w http.ResponseWriter, post int) bool {
			if post > 1 {
				return false
			}
			http.Error(w, c.text, c.status)
			return true
		}
		_, err := s.Pay(t.Context(), Amount{Count: 3})
		var unknown *UnknownOutcomeError
		require.ErrorAs(t, err, &unknown, c.text)
		require.True(t, unknown.Busy)
		require.Equal(t, "it is busy: try again later; "+deliverAgain, unknown.Hint())
		paid, err := s.Pay(t.Context(), Amount{Count: 3})
		require.NoError(t, err)
		require.Equal(t, store.Sent, paid.Before.State)
		require.EqualValues(t, 3, paid.Tickets.Nonces.Count)
	}
}

// What to do about an outcome that is not known depends on what answered, and on whether the
// same tickets can be delivered again.
func TestHintsOfUnknownOutcomes(t *testing.T) {
	replayed := &RefusedError{Status: 400, Text: pm.ErrNonceReplayed.Error(), TicketsTaken: true}
	for want, e := range map[string]*UnknownOutcomeError{
		unanswered:   {Err: errors.New("cut off")},
		deliverAgain: {Err: errors.New("cut off"), Request: "one"},
		"something between you and the recipient answered, such as a proxy or a firewall: check the URL; " + deliverAgain: {
			Err: errors.New("HTML"), Status: 404, Request: "one", Again: true,
		},
		"a proxy before the recipient rejects headers of this size: pmctl will send smaller ones; " + unanswered: {
			Err: errors.New("HTML"), Status: 431, TooLarge: true,
		},
		"recipients refuse tickets they already have, so the first delivery probably arrived; ask the recipient what it credited before you pay with another --request-id": {
			Err: replayed, Request: "one", Again: true,
		},
		"ask the recipient what it credited before you pay with another --request-id": {
			Err: fmt.Errorf("they cannot be delivered again: %w", pm.ErrTicketParamsExpired), Request: "one", Again: true, Over: true,
		},
	} {
		require.Equal(t, want, e.Hint())
	}
	partial := &PartialError{Request: "one", Err: &UnknownOutcomeError{Err: errors.New("cut off"), Request: "one"}}
	require.Equal(t, "to pay the rest, and nothing twice, run the command again with --request-id one", partial.Hint())
	partial.Err = replayed
	require.NotContains(t, partial.Hint(), "--request-id", "what was refused is not paid by others")
}
