package store

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

// Where the sender has pinned an address to an orchestrator's URL, clients pay no other there; what
// was signed before is answered again.
func TestLivePins(t *testing.T) { onEach(t, livePins) }

func livePins(t *testing.T, place place) {
	s := open(t, place(t))
	at := func(url string) LiveRequest {
		r := liveRequest(1, 1)
		r.URL, r.Key = url, url
		return r
	}
	const known, unknown = "https://known:8935", "https://unknown:8935"
	first := pay(t, s, at(known))
	_, err := s.Chain(testChain).PinRecipients(t.Context(), liveSender, []Pin{{known, common.Address{0xee}}, {unknown, common.Address{0xee}}}, nil)
	require.NoError(t, err)
	other := at("https://other:8935")
	pay(t, s, other)
	requireAgain(t, first, pay(t, s, at(known)))
	_, err = livePayments(s).Pay(t.Context(), at(unknown))
	require.ErrorIs(t, err, ErrPinned)
	require.EqualError(t, err, unknown+" now asks for payments to "+other.Params.Recipient.Hex()+", and the signer's account pays "+common.Address{0xee}.Hex()+" there")
	next := at(known).with(first)
	next.Info = "fresh"
	_, err = livePayments(s).Pay(t.Context(), next)
	require.ErrorIs(t, err, ErrPinned)
	require.EqualValues(t, 2, spentTickets(t, s))

	// A client's payment has pinned nothing.
	pinned, err := s.Chain(testChain).Recipient(t.Context(), liveSender, other.URL)
	require.NoError(t, err)
	require.Zero(t, pinned)
	_, err = s.Chain(testChain).PinRecipients(t.Context(), liveSender, []Pin{{known, next.Params.Recipient}}, []common.Address{next.Params.Recipient})
	require.NoError(t, err)
	pay(t, s, next)
}
