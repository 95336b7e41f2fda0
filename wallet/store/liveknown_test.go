package store

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

// TestWhatAnotherProcessWroteCounts: what a process keeps of its last payment is forgotten once another
// one has changed the store: sessions, spending, pins, clients and credentials.
func TestWhatAnotherProcessWroteCounts(t *testing.T) { onEach(t, whatAnotherProcessWroteCounts) }

func whatAnotherProcessWroteCounts(t *testing.T, place place) {
	location := place(t)
	ours, theirs := open(t, location), open(t, location)
	payments := livePayments(ours)
	r := liveRequest(1, 1)
	r.Client, r.Credential, r.URL = addClient(t, ours, "one", Terms{EVTotal: worth(t, 4)}), Credential{"token", "hash of one"}, "https://known:8935"
	pay := func(by *LivePayments) {
		t.Helper()
		p, err := by.Pay(t.Context(), r)
		require.NoError(t, err)
		r = r.with(p)
	}
	refused := func(as error) {
		t.Helper()
		_, err := payments.Pay(t.Context(), r)
		require.ErrorIs(t, err, as)
	}
	pay(payments)
	pay(payments)
	known := payments.memory.known
	require.NotNil(t, known)
	pay(payments)
	require.Same(t, known, payments.memory.known, "nothing was written in between")
	pay(livePayments(theirs))
	_, err := payments.Pay(t.Context(), r)
	require.Equal(t, AllowEVTotal, errorAs[*AllowanceError](t, err).Allowance)
	require.NoError(t, theirs.Clients().Change(t.Context(), "one", func(c *Client) error { c.Terms = Terms{}; return nil }))
	pay(payments)
	require.EqualValues(t, 4, r.State.SequenceNumber)

	_, err = theirs.Chain(testChain).PinRecipients(t.Context(), liveSender, []Pin{{r.URL, common.Address{0xee}}}, nil)
	require.NoError(t, err)
	refused(ErrPinned)
	r.URL = ""
	pay(payments)
	require.NoError(t, theirs.Clients().Rotate(t.Context(), "one", Credential{"token", "another"}, liveDay))
	refused(ErrNoClient)
	require.EqualValues(t, 6, spentTickets(t, ours))
	requireSound(t, location)
}
