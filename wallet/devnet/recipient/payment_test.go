package recipient_test

import (
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

var ether = big.NewInt(1e18)

func TestPayment(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	main := net.State().Recipients[0]

	for _, service := range []string{main.URL, main.PlainURL} {
		u, err := url.Parse(service)
		require.NoError(t, err)
		t.Run(u.Scheme, func(t *testing.T) {
			info := p.offer(service)
			require.Equal(t, service, info.Transcoder)
			require.Equal(t, main.Address.Bytes(), info.TicketParams.Recipient)

			params, err := info.Params()
			require.NoError(t, err)
			require.NoError(t, pm.DefaultLimits().Check(params, facts(t, net, p), 19))
			require.Error(t, pm.DefaultLimits().Check(params, facts(t, net, p), 20))
			require.Equal(t, big.NewInt(4000e9), params.FaceValue)
			quarter := new(big.Rat).Mul(params.WinProbRat(), big.NewRat(4, 1))
			f, _ := quarter.Float64()
			require.InDelta(t, 1, f, 1e-9)

			before := status(t, main.StatusURL)
			fresh := p.accepted(info, p.payment(info, 1, 10))
			require.Equal(t, service, fresh.Transcoder)
			require.NotEqual(t, info.TicketParams.RecipientRandHash, fresh.TicketParams.RecipientRandHash)

			after := status(t, main.StatusURL)
			require.EqualValues(t, 10, after.Tickets.Accepted-before.Tickets.Accepted)
			sender := after.Senders[p.signer.Address()]
			credit := sender.Manifests[info.AuthToken.SessionId]
			require.Equal(t, new(big.Rat).Mul(params.EV(), big.NewRat(10, 1)).RatString(), credit.RatString())

			// The fresh params continue the session.
			p.accepted(fresh, p.payment(fresh, 1, 1))
		})
	}
}

func facts(t *testing.T, net *network, p *payer) pm.Facts {
	t.Helper()
	facts, err := net.client.Facts(t.Context(), p.signer.Address())
	require.NoError(t, err)
	return facts
}

func TestRefusedTickets(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	service := net.server(t, nil)

	t.Run("nonce seen", func(t *testing.T) {
		info := p.offer(service.URL)
		payment := p.payment(info, 1, 3)
		p.accepted(info, payment)
		code, text := p.pay(info, payment)
		require.Equal(t, http.StatusBadRequest, code)
		require.Contains(t, text, "senderNonce")
		require.EqualValues(t, 3, status(t, service.StatusURL).Tickets.Refused[recipient.ReasonNonceSeen])
	})
	t.Run("flipped signature", func(t *testing.T) {
		info := p.offer(service.URL)
		payment := p.payment(info, 1, 4)
		payment.TicketSenderParams[1].Sig[7] ^= 1
		before := status(t, service.StatusURL).Tickets
		code, text := p.pay(info, payment)
		require.Equal(t, http.StatusBadRequest, code)
		require.Contains(t, text, "invalid ticket signature")
		after := status(t, service.StatusURL).Tickets
		require.EqualValues(t, 1, after.Refused[recipient.ReasonSignature])
		require.EqualValues(t, 3, after.Accepted-before.Accepted, "the rest is taken")
		require.EqualValues(t, 1, after.Credited-before.Credited, "but tickets after it are not credited")
	})
	t.Run("wrong price", func(t *testing.T) {
		info := p.offer(service.URL)
		payment := p.payment(info, 1, 2)
		payment.ExpectedPrice.PricePerUnit++
		before := status(t, service.StatusURL).Tickets
		code, _ := p.pay(info, payment)
		require.Equal(t, http.StatusBadRequest, code)
		after := status(t, service.StatusURL).Tickets
		require.EqualValues(t, 1, after.Refused[recipient.ReasonRand], "it ends the payment")
		require.Equal(t, before.Received+1, after.Received)
	})
	t.Run("same price in other terms", func(t *testing.T) {
		info := p.offer(service.URL)
		payment := p.payment(info, 1, 1)
		payment.ExpectedPrice.PricePerUnit *= 3
		payment.ExpectedPrice.PixelsPerUnit *= 3
		p.accepted(info, payment)
	})
	t.Run("altered face value", func(t *testing.T) {
		info := p.offer(service.URL)
		info.TicketParams.FaceValue[0]++
		code, _ := p.pay(info, p.payment(info, 1, 1))
		require.Equal(t, http.StatusBadRequest, code)
	})
	t.Run("600 nonces", func(t *testing.T) {
		info := p.offer(service.URL)
		for i := range uint32(2) {
			p.accepted(info, p.payment(info, 300*i+1, 300))
		}
		code, text := p.pay(info, p.payment(info, 601, 1))
		require.Equal(t, http.StatusBadRequest, code, text)
		require.EqualValues(t, 1, status(t, service.StatusURL).Tickets.Refused[recipient.ReasonNonceCap])
	})
	t.Run("expired", func(t *testing.T) {
		info := p.offer(service.URL)
		require.NoError(t, net.Mine(t.Context(), 39))
		p.accepted(info, p.payment(info, 1, 1))
		require.NoError(t, net.Mine(t.Context(), 1))
		code, text := p.pay(info, p.payment(info, 2, 1))
		require.Equal(t, http.StatusBadRequest, code)
		require.Contains(t, text, "TicketParams expired")
	})
	t.Run("unlocking sender", func(t *testing.T) {
		leaving := net.newPayer(t).fund(ether, ether)
		info := leaving.offer(service.URL)
		sent, err := leaving.broker.Unlock()
		require.NoError(t, err)
		require.NoError(t, leaving.broker.CheckTx(sent))
		leaving.accepted(info, leaving.payment(info, 1, 1))

		require.NoError(t, net.NextRound(t.Context(), devnet.DefaultUnlockPeriod-1))
		info = leaving.offer(service.URL)
		code, text := leaving.pay(info, leaving.payment(info, 1, 2))
		require.Equal(t, http.StatusBadRequest, code)
		require.Contains(t, text, "unlock")
		require.EqualValues(t, 1, status(t, service.StatusURL).Tickets.Refused[recipient.ReasonUnlocking])
	})
	t.Run("inactive recipient", func(t *testing.T) {
		info := p.offer(service.URL)
		require.NoError(t, net.DeactivateTranscoder(t.Context(), service.Address))
		code, text := p.pay(info, p.payment(info, 1, 1))
		require.Equal(t, http.StatusBadRequest, code)
		require.Contains(t, text, "inactive")
	})
}

func TestWinnerIsRedeemed(t *testing.T) {
	for name, cfg := range map[string]devnet.Config{
		"plain":                     {},
		"arbitrum":                  {Arbitrum: true},
		"arbitrum, number as JSON":  {Arbitrum: true, L1Numbers: devnet.L1Number},
		"block time, not on demand": {BlockTime: 200 * time.Millisecond, RoundLength: 1000},
	} {
		t.Run(name, func(t *testing.T) { testWinnerIsRedeemed(t, newNetwork(t, cfg)) })
	}
}

func testWinnerIsRedeemed(t *testing.T, net *network) {
	p := net.newPayer(t).fund(ether, ether)
	main := net.State().Recipients[0]
	info := p.offer(main.URL)

	var won uint64
	for nonce := uint32(1); won == 0; nonce++ {
		require.Less(t, nonce, uint32(600))
		p.accepted(info, p.payment(info, nonce, 1))
		won = status(t, main.StatusURL).Tickets.Won
	}
	seen := status(t, main.StatusURL)
	require.EqualValues(t, 1, seen.Tickets.Queued)
	require.Equal(t, "queued", seen.Winners[0].State)
	require.Equal(t, ether, net.deposit(t, p), "nothing is redeemed before the params expire")
	head, err := net.client.Head(t.Context())
	require.NoError(t, err)
	expires, _ := seen.Winners[0].ExpirationBlock.Float64()
	require.InDelta(t, float64(head.L1Block), expires, 41, "L1 blocks count")

	require.NoError(t, net.Mine(t.Context(), 40))
	eventually(t, func() (any, bool) {
		seen = status(t, main.StatusURL)
		return seen, seen.Tickets.Redeemed == 1
	})
	require.Empty(t, seen.Failures)
	require.Zero(t, seen.Tickets.Queued)
	winner := seen.Winners[0]
	require.Equal(t, "redeemed", winner.State)
	receipt, err := net.client.TransactionReceipt(t.Context(), *winner.Tx)
	require.NoError(t, err)
	require.EqualValues(t, 1, receipt.Status)
	paid := new(big.Int).Sub(ether, net.deposit(t, p))
	require.Equal(t, winner.FaceValue.RatString(), paid.String())
	require.Equal(t, paid.String(), fmt.Sprint(seen.Tickets.RedeemedWei.RatString()))
	t.Logf("redeemed with %d gas", receipt.GasUsed)
}

// Winners of several senders can be redeemed from one block on, by one account.
func TestManySendersWinAtOnce(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	main := net.State().Recipients[0]
	var payers []*payer
	for range 4 {
		payers = append(payers, net.newPayer(t).fund(ether, ether))
	}
	for _, p := range payers {
		info := p.offer(main.URL)
		for nonce := uint32(1); status(t, main.StatusURL).Senders[p.signer.Address()].Won < 2; nonce++ {
			p.accepted(info, p.payment(info, nonce, 1))
		}
	}
	require.NoError(t, net.Mine(t.Context(), 40))
	eventually(t, func() (any, bool) {
		seen := status(t, main.StatusURL)
		return seen, seen.Tickets.Redeemed == seen.Tickets.Won
	})
	seen := status(t, main.StatusURL)
	require.Empty(t, seen.Failures)
	require.EqualValues(t, 8, seen.Tickets.Redeemed)
	for _, p := range payers {
		paid := new(big.Int).Sub(ether, net.deposit(t, p))
		require.Equal(t, "8000000000000", paid.String())
		redeemed := seen.Senders[p.signer.Address()].RedeemedWei
		require.Equal(t, paid.String(), redeemed.RatString())
	}
}
