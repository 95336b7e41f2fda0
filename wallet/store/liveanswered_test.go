package store

import (
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/live"
)

// TestAnAnswerOutlivesTheTerms: a client that lost an answer gets it again when its terms would
// not allow the payment any more: it was spent. A client that was revoked, or has expired, gets
// nothing.
func TestAnAnswerOutlivesTheTerms(t *testing.T) { onEach(t, anAnswerOutlivesTheTerms) }

func anAnswerOutlivesTheTerms(t *testing.T, place place) {
	s := open(t, place(t))
	client := addClient(t, s, "ann", Terms{})
	first := liveRequest(1, 1)
	first.Client, first.Key = client, "key"
	begun := pay(t, s, first)
	second := first.with(begun)
	next := pay(t, s, second)
	change := func(change func(*Client)) {
		t.Helper()
		require.NoError(t, s.Clients().Change(t.Context(), "ann", func(c *Client) error {
			*c = Client{ID: c.ID, Name: c.Name, CreatedAt: c.CreatedAt}
			change(c)
			return nil
		}))
	}
	for name, narrow := range map[string]func(*Client){
		"recipients": func(c *Client) { c.Terms.Recipients = []common.Address{{99}} },
		"apps":       func(c *Client) { c.Terms.Apps = []string{"another"} },
		"prices":     func(c *Client) { c.Terms.MaxPrices = live.MaxPrices{"seconds": big.NewRat(1, 1)} },
		"allowance":  func(c *Client) { c.Terms.EVTotal = worth(t, 0) },
	} {
		change(narrow)
		requireAgain(t, begun, pay(t, s, first))
		requireAgain(t, next, pay(t, s, second))
		_, err := livePayments(s).Pay(t.Context(), second.with(next))
		require.ErrorAs(t, err, new(live.Refusal), name)
	}
	for reason, end := range map[ClientReason]func(*Client){
		ClientRevoked: func(c *Client) { c.RevokedAt = liveDay.Add(-time.Hour) },
		ClientExpired: func(c *Client) { c.ExpiresAt = liveDay.Add(-time.Hour) },
	} {
		change(end)
		for _, r := range []LiveRequest{first, second} {
			_, err := livePayments(s).Pay(t.Context(), r)
			require.Equal(t, reason, errorAs[*ClientError](t, err).Reason)
			_, err = livePayments(s).Find(t.Context(), r)
			require.Equal(t, reason, errorAs[*ClientError](t, err).Reason)
		}
	}
}

// TestARevokedClient gets nothing, also from a signer whose clock is behind that of the machine that
// revoked it, or was set back since.
func TestARevokedClient(t *testing.T) {
	s := open(t, newFile(t))
	r := liveRequest(1, 1)
	r.Client = addClient(t, s, "ann", Terms{})
	begun := pay(t, s, r)
	require.NoError(t, s.Clients().Change(t.Context(), "ann", func(c *Client) error {
		c.RevokedAt = liveDay.Add(time.Hour)
		return nil
	}))
	for _, asked := range []LiveRequest{r, r.with(begun)} {
		_, err := livePayments(s).Pay(t.Context(), asked)
		require.Equal(t, ClientRevoked, errorAs[*ClientError](t, err).Reason)
	}
	ann, err := s.Clients().Named(t.Context(), "ann")
	require.NoError(t, err)
	require.True(t, ann.EndedAt(liveDay))
	require.ErrorAs(t, ann.CheckActive(liveDay), new(*ClientError))
}
