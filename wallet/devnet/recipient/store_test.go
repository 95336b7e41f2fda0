package recipient

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
)

func TestTicketStore(t *testing.T) {
	ann, bob := common.Address{1}, common.Address{2}
	winning := func(sender common.Address, nonce uint32, round int64) *pm.SignedTicket {
		return &pm.SignedTicket{Ticket: &pm.Ticket{Sender: sender, SenderNonce: nonce, CreationRound: round}}
	}
	s := &ticketStore{active: func(_ common.Address, round *big.Int) (bool, error) { return round.Sign() > 0, nil }}
	first, second, old := winning(ann, 2, 9), winning(ann, 1, 8), winning(bob, 1, 3)
	for _, ticket := range []*pm.SignedTicket{first, second, old, first} {
		require.NoError(t, s.StoreWinningTicket(ticket))
	}
	require.Len(t, s.all(), 3, "stored once")
	// expect says which ticket is a sender's next of minRound or later, and how many wait.
	expect := func(want *pm.SignedTicket, count int, sender common.Address, minRound int64) {
		t.Helper()
		ticket, err := s.SelectEarliestWinningTicket(sender, minRound)
		require.NoError(t, err)
		require.Same(t, want, ticket)
		waiting, err := s.WinningTicketCount(sender, minRound)
		require.NoError(t, err)
		require.Equal(t, count, waiting)
	}

	expect(first, 2, ann, 0)
	expect(first, 1, ann, 9)
	expect(nil, 0, ann, 10)
	expect(nil, 0, bob, 4)
	senders, err := s.WinningTicketSenders(4)
	require.NoError(t, err)
	require.Equal(t, []common.Address{ann}, senders)

	require.NoError(t, s.RequeueWinningTicket(first))
	expect(second, 2, ann, 0)
	require.NoError(t, s.MarkWinningTicketRedeemed(second, common.Hash{7}))
	expect(first, 1, ann, 0)
	require.NoError(t, s.StoreWinningTicket(second))
	expect(first, 1, ann, 0)
	require.NoError(t, s.RemoveWinningTicket(first))
	expect(nil, 0, ann, 0)

	active, err := s.IsOrchActive(ann, big.NewInt(1))
	require.NoError(t, err)
	require.True(t, active)
}
