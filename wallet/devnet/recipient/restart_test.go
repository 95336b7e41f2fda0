package recipient_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

// A recipient that is killed with winners in its queue redeems them after its restart.
func TestKilledRecipientRedeemsWhatItHadQueued(t *testing.T) {
	var p *process
	net := newNetwork(t, devnet.Config{StartRecipient: inProcess(t, &p), RoundLength: 200})
	account := p.State().Address
	before := net.sent(t, account)
	payers := []*payer{net.newPayer(t).fund(ether, ether), net.newPayer(t).fund(ether, ether)}
	won := map[*payer][]uint32{}
	for _, payer := range payers {
		won[payer] = payer.win(p.State(), payer.offer(p.State().URL), 1, 2)
	}
	old := payers[0].offer(p.State().URL)
	require.NoError(t, p.kill())
	require.NoError(t, p.start())

	seen := status(t, p.State().StatusURL)
	require.EqualValues(t, 4, seen.Tickets.Queued)
	require.EqualValues(t, 2, seen.Senders[payers[1].signer.Address()].Queued)

	// The restarted recipient has a new secret: no ticket can be sent to it again.
	old.Transcoder, old.AuthToken = p.State().URL, payers[0].offer(p.State().URL).AuthToken
	code, text := payers[0].pay(old, payers[0].payment(old, 1, 1))
	require.Equal(t, http.StatusBadRequest, code, text)
	require.EqualValues(t, 1, status(t, p.State().StatusURL).Tickets.Refused[recipient.ReasonRand])
	won[payers[0]] = append(won[payers[0]], payers[0].win(p.State(), payers[0].offer(p.State().URL), 1001, 1)...)

	require.NoError(t, p.kill())
	require.NoError(t, net.Mine(t.Context(), 60))
	require.Empty(t, net.redemptions(t))
	require.NoError(t, p.start())
	eventually(t, func() (any, bool) {
		seen = status(t, p.State().StatusURL)
		return seen, seen.Tickets.Redeemed == 5
	})
	require.Empty(t, seen.Failures)
	require.Zero(t, seen.Tickets.Queued+seen.Tickets.Settled)
	for _, payer := range payers {
		require.Equal(t, won[payer], net.redeemed(t, payer))
	}
	require.Equal(t, before+5, net.sent(t, account), "each once")
}

// A recipient that is killed during a redemption does not send it again.
func TestKilledWhileARedemptionIsUnderWay(t *testing.T) {
	var p *process
	net := newNetwork(t, devnet.Config{StartRecipient: inProcess(t, &p), RoundLength: 200})
	account := p.State().Address
	before := net.sent(t, account)
	payer := net.newPayer(t).fund(ether, ether)
	won := payer.win(p.State(), payer.offer(p.State().URL), 1, 3)

	require.NoError(t, net.SetAutomine(t.Context(), false))
	require.NoError(t, net.Mine(t.Context(), 40))
	eventually(t, func() (any, bool) { n := net.sent(t, account); return n, n == before+1 })
	require.NoError(t, p.kill())
	require.NoError(t, p.start())

	// Without a block its monitor looks at each of the three once.
	eventually(t, func() (any, bool) {
		seen := status(t, p.State().StatusURL)
		return seen, failed(seen, "transactions of an earlier run are not mined yet: 1") == 3
	})
	require.Equal(t, before+1, net.sent(t, account))
	require.EqualValues(t, 3, status(t, p.State().StatusURL).Tickets.Queued)

	require.NoError(t, net.SetAutomine(t.Context(), true))
	var seen recipient.Status
	eventually(t, func() (any, bool) {
		seen = status(t, p.State().StatusURL)
		return seen, seen.Tickets.Queued == 0
	})
	require.EqualValues(t, 2, seen.Tickets.Redeemed)
	require.EqualValues(t, 1, seen.Tickets.Settled, "the one redeemed before the restart")
	require.Equal(t, won, net.redeemed(t, payer))
	require.Equal(t, before+3, net.sent(t, account), "each once")
}

// A recipient that is killed each time before it can record a redemption sends nothing twice.
func TestKilledAfterEachRedemption(t *testing.T) {
	var p *process
	net := newNetwork(t, devnet.Config{StartRecipient: inProcess(t, &p), RoundLength: 200})
	account := p.State().Address
	before := net.sent(t, account)
	payer := net.newPayer(t).fund(ether, ether)
	won := payer.win(p.State(), payer.offer(p.State().URL), 1, 4)
	require.NoError(t, net.Mine(t.Context(), 40))
	for lives := range won {
		eventually(t, func() (any, bool) { n := len(net.redemptions(t)); return n, n > lives })
		require.NoError(t, p.kill())
		require.NoError(t, p.start())
	}
	var seen recipient.Status
	eventually(t, func() (any, bool) {
		seen = status(t, p.State().StatusURL)
		return seen, seen.Tickets.Queued == 0
	})
	require.EqualValues(t, len(won), seen.Tickets.Redeemed+seen.Tickets.Settled)
	require.Equal(t, won, net.redeemed(t, payer))
	require.Equal(t, before+uint64(len(won)), net.sent(t, account), "each once")
}
