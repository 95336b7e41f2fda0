package history

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestAsManyWinsAsExpected are not bad luck: of 100 tickets, one of which wins on average, one has won.
func TestAsManyWinsAsExpected(t *testing.T) {
	draw := NewDraw(1)
	for first := uint32(1); first <= 100; first += 10 {
		draw.Add(store.Reservation{
			Nonces: pm.NonceRange{First: first, Count: 10}, FaceValue: big.NewInt(100), TicketEV: big.NewRat(1, 1), ExpirationBlock: big.NewInt(1),
		})
	}
	win := func() {
		draw.Win(Event{Kind: Redeemed, Redemption: &Redemption{Paid: wei.FromUint64(100), Match: Matched, Made: &Made{FirstNonce: 1, TicketEV: format.NewTicketEV(big.NewRat(1, 1))}}})
	}
	require.False(t, draw.Luck().Bad(), "none won")
	win()
	require.EqualValues(t, 1, draw.Luck().Wins)
	require.InDelta(t, 1, draw.Luck().ExpectedWins, 1e-12)
	require.False(t, draw.Luck().Bad())
	win()
	require.True(t, draw.Luck().Bad(), "two won")
}

// TestAnEarlyWin: a ticket that is redeemed before its params expire can no longer win, and counts as
// drawn with the others.
func TestAnEarlyWin(t *testing.T) {
	draw := NewDraw(1)
	draw.Add(store.Reservation{Nonces: pm.NonceRange{First: 1, Count: 2}, FaceValue: big.NewInt(100), TicketEV: big.NewRat(1, 1), ExpirationBlock: big.NewInt(2)})
	draw.Win(Event{Kind: Redeemed, Redemption: &Redemption{
		FaceValue: wei.FromUint64(100), Paid: wei.FromUint64(100), Match: Matched, Made: &Made{FirstNonce: 1, TicketEV: format.NewTicketEV(big.NewRat(1, 1))},
	}})
	require.True(t, policy.Cost(1, big.NewRat(1, 1), big.NewInt(100)).Equal(draw.Outstanding))
	require.InDelta(t, 0.01, draw.Owed, 1e-12)
	require.Zero(t, draw.Luck().Wins)
}
