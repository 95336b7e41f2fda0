package recipient_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

func gwei(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e9)) }

// redemption is a redeemed ticket on the chain.
type redemption struct {
	sender        common.Address
	nonce         uint32
	block         uint64
	tx            common.Hash
	paid, claimed string // in wei; claimed is the part that the reserve paid
}

// redemptions are the broker's events, in the chain's order.
func (n *network) redemptions(t *testing.T) (found []redemption) {
	t.Helper()
	logs, err := n.Client().FilterLogs(t.Context(), ethereum.FilterQuery{
		FromBlock: new(big.Int), Addresses: []common.Address{n.Contracts()["TicketBroker"]},
	})
	require.NoError(t, err)
	broker := contract.NewTicketBroker()
	paid, claimed := "0", "0"
	for _, log := range logs {
		if claim, err := broker.UnpackReserveClaimedEvent(&log); err == nil {
			claimed = claim.Amount.String()
		}
		if transfer, err := broker.UnpackWinningTicketTransferEvent(&log); err == nil {
			paid = transfer.Amount.String()
		}
		if redeemed, err := broker.UnpackWinningTicketRedeemedEvent(&log); err == nil {
			found = append(found, redemption{
				redeemed.Sender, uint32(redeemed.SenderNonce.Uint64()), log.BlockNumber, log.TxHash, paid, claimed,
			})
			paid, claimed = "0", "0"
		}
	}
	return found
}

// redeemed are the nonces of a sender's redeemed tickets, in the chain's order.
func (n *network) redeemed(t *testing.T, sender *payer) (nonces []uint32) {
	t.Helper()
	for _, r := range n.redemptions(t) {
		if r.sender == sender.signer.Address() {
			nonces = append(nonces, r.nonce)
		}
	}
	return nonces
}

// sent is how many transactions an account has sent, mined or not.
func (n *network) sent(t *testing.T, account common.Address) uint64 {
	t.Helper()
	nonce, err := n.client.PendingNonceAt(t.Context(), account)
	require.NoError(t, err)
	return nonce
}

// win pays with one ticket after the other, from a first nonce on, until some have won, and
// returns the winners' nonces.
func (p *payer) win(at chain.DevnetRecipient, info *wire.OrchestratorInfo, first uint32, count int) (nonces []uint32) {
	p.t.Helper()
	won := status(p.t, at.StatusURL).Tickets.Won
	for nonce := first; len(nonces) < count; nonce++ {
		p.accepted(info, p.payment(info, nonce, 1))
		if now := status(p.t, at.StatusURL).Tickets.Won; now > won {
			nonces, won = append(nonces, nonce), now
		}
	}
	return nonces
}

// failed counts a recipient's internal errors, by a part of their text.
func failed(seen recipient.Status, text string) (count uint64) {
	for failure, n := range seen.Failures {
		if strings.Contains(failure, text) {
			count += n
		}
	}
	return count
}

func TestWinnersAreRedeemedOnceInOrderAfterExpiry(t *testing.T) {
	net := newNetwork(t, devnet.Config{RoundLength: 200})
	main := net.State().Recipients[0]
	before := net.sent(t, main.Address)
	payers := []*payer{net.newPayer(t).fund(ether, ether), net.newPayer(t).fund(ether, ether)}
	won := map[*payer][]uint32{}
	for _, p := range payers {
		won[p] = p.win(main, p.offer(main.URL), 1, 2)
	}
	require.NoError(t, net.Mine(t.Context(), 10))
	for _, p := range payers {
		won[p] = append(won[p], p.win(main, p.offer(main.URL), 1001, 2)...)
	}
	waiting := status(t, main.StatusURL).Winners
	require.Len(t, waiting, 8)

	redeemed := func(count uint64) {
		t.Helper()
		eventually(t, func() (any, bool) {
			seen := status(t, main.StatusURL)
			return seen, seen.Tickets.Redeemed == count
		})
	}
	require.NoError(t, net.Mine(t.Context(), 29))
	payers[0].offer(main.URL) // the recipient has seen the block
	require.Empty(t, net.redemptions(t))
	require.NoError(t, net.Mine(t.Context(), 1))
	redeemed(4)
	require.NoError(t, net.Mine(t.Context(), 10))
	redeemed(8)
	for _, p := range payers {
		require.Equal(t, won[p], net.redeemed(t, p))
	}
	redemptions := net.redemptions(t)
	require.Len(t, redemptions, len(waiting), "each once")
	require.Equal(t, before+uint64(len(waiting)), net.sent(t, main.Address), "and no transaction in vain")
	for _, r := range redemptions {
		for _, w := range waiting {
			if w.Sender == r.sender && w.SenderNonce == r.nonce {
				due, _ := w.ExpirationBlock.Float64()
				require.GreaterOrEqual(t, float64(r.block), due, "nonce %d", r.nonce)
			}
		}
	}
	for _, w := range status(t, main.StatusURL).Winners {
		require.Equal(t, "redeemed", w.State)
		require.Equal(t, 1, countTx(redemptions, *w.Tx))
	}
}

func countTx(redemptions []redemption, tx common.Hash) (count int) {
	for _, r := range redemptions {
		if r.tx == tx {
			count++
		}
	}
	return count
}

// A deposit that is too small pays what it can; the rest comes from the recipient's share of
// the reserve, a third of it for each of three recipients, again in each round.
func TestShortDepositDrawsOnTheReserve(t *testing.T) {
	net := newNetwork(t, devnet.Config{RoundLength: 200})
	main := net.State().Recipients[0]
	for _, other := range []common.Address{{0xb1}, {0xb2}} {
		require.NoError(t, net.AddTranscoder(t.Context(), other))
	}
	require.NoError(t, net.NextRound(t.Context(), 1))
	reserve := new(big.Int).Add(gwei(30_000), common.Big2) // a third is rounded down
	p := net.newPayer(t).fund(gwei(5_000), reserve)
	info := p.offer(main.URL)
	require.Equal(t, gwei(4_000).Bytes(), info.TicketParams.FaceValue)
	won := p.win(main, info, 1, 5)

	require.NoError(t, net.Mine(t.Context(), 40))
	eventually(t, func() (any, bool) {
		seen := status(t, main.StatusURL)
		return seen, seen.Tickets.Redeemed == 4 && failed(seen, pm.ErrNotWorthGas.Error()) > 0
	})
	facts := facts(t, net, p)
	require.Zero(t, facts.Sender.Deposit.Sign())
	require.Equal(t, gwei(10_000), facts.Sender.Reserve.ClaimedInCurrentRound, "a third")
	left := new(big.Int).Sub(reserve, gwei(10_000))
	require.Equal(t, left, facts.Sender.Reserve.FundsRemaining)

	// The last one waits for the next round, whose share is a third of the rest.
	require.NoError(t, net.NextRound(t.Context(), 1))
	eventually(t, func() (any, bool) {
		seen := status(t, main.StatusURL)
		return seen, seen.Tickets.Redeemed == 5
	})
	require.Equal(t, won, net.redeemed(t, p))
	type amounts struct{ paid, claimed string }
	var got []amounts
	for _, r := range net.redemptions(t) {
		got = append(got, amounts{r.paid, r.claimed})
	}
	require.Equal(t, []amounts{
		{gwei(4_000).String(), "0"},                  // 1000 of the deposit are left
		{gwei(4_000).String(), gwei(3_000).String()}, // 7000 of the share are left
		{gwei(4_000).String(), gwei(4_000).String()}, // 3000
		{gwei(3_000).String(), gwei(3_000).String()}, // a short payment uses the ticket
		{gwei(4_000).String(), gwei(4_000).String()},
	}, got)
}
