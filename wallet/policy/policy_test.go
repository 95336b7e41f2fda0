package policy

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/wei"
)

const gwei = 1_000_000_000

// quarter is a winProb a hair below 1/4.
func quarter() *big.Int { return new(big.Int).Lsh(big.NewInt(1), 254) }

func goodParams() *pm.TicketParams {
	return &pm.TicketParams{
		Recipient:         common.Address{0xaa},
		FaceValue:         big.NewInt(4000 * gwei),
		WinProb:           quarter(),
		RecipientRandHash: common.Hash{1},
		Seed:              big.NewInt(7),
		ExpirationBlock:   big.NewInt(140),
		ExpirationParams:  &pm.TicketExpirationParams{CreationRound: 5, CreationRoundBlockHash: common.Hash{5}},
	}
}

func goodFacts() *pm.Facts {
	return &pm.Facts{
		LastSeenL1Block:            big.NewInt(100),
		LastInitializedRound:       big.NewInt(5),
		LastInitializedL1BlockHash: common.Hash{5},
		Sender: &pm.SenderInfo{
			Deposit:       big.NewInt(1e18),
			WithdrawRound: new(big.Int),
			Reserve:       &pm.ReserveInfo{FundsRemaining: big.NewInt(1e18), ClaimedInCurrentRound: new(big.Int)},
		},
	}
}

func TestGoodParamsPass(t *testing.T) {
	require.NoError(t, Default().Check(goodParams(), *goodFacts(), 19))
	require.NoError(t, Default().CheckParams(goodParams(), 19))
}

func TestRefusals(t *testing.T) {
	type world struct {
		limits Limits
		params *pm.TicketParams
		facts  *pm.Facts
		n      uint64
	}
	for _, c := range []struct {
		name   string
		change func(*world)
		kind   error
		err    any
		// what the message and the hint say
		message, hint []string
		// offline reports whether it shows without the chain
		offline bool
	}{
		{"ticket EV", func(w *world) { w.params.FaceValue = big.NewInt(16_000 * gwei) }, ErrLimit, new(*pm.MaxEVError),
			[]string{"4000", "gwei", "3000 gwei"}, []string{"--max-ticket-ev", "-ticketEV"}, true},
		{"total EV", func(w *world) { w.n = 21 }, ErrLimit, new(*pm.MaxTotalEVError),
			[]string{"21 tickets, ~21000", "20000 gwei"}, []string{"at most 19 tickets", "--max-total-ev"}, true},
		{"total EV of more tickets than 32 bits can count", func(w *world) { w.n = 1e16 }, ErrLimit, new(*pm.MaxTotalEVError),
			[]string{"10000000000000000 tickets, ~10000000000 ETH"}, []string{"at most 19 tickets"}, true},
		{"total EV of one", func(w *world) { w.n, w.limits.MaxTotalEV = 1, big.NewRat(1, 1) }, ErrLimit, new(*pm.MaxTotalEVError),
			[]string{"1 wei"}, []string{"one ticket alone", "--max-total-ev"}, true},
		{"deposit below one face value", func(w *world) { w.facts.Sender.Deposit = big.NewInt(3999 * gwei) }, ErrFunds, new(*pm.FaceValueError),
			[]string{"3999 gwei", "4000 gwei"}, []string{"add 1 gwei", "pmctl fund --deposit 1gwei"}, false},
		{"deposit below several, and below one", func(w *world) {
			w.facts.Sender.Deposit, w.limits.DepositMultiplier = big.NewInt(3999*gwei), 3
		}, ErrFunds, new(*pm.FaceValueError), []string{"must cover 3 of them"}, []string{"add 8001 gwei"}, false},
		{"deposit below several face values", func(w *world) {
			w.facts.Sender.Deposit, w.limits.DepositMultiplier = big.NewInt(4000*gwei), 3
		}, ErrLimit, new(*pm.FaceValueError), []string{"must cover 3 of them"}, []string{"--deposit-multiplier", "add 8000 gwei"}, false},
		{"no deposit", func(w *world) { w.facts.Sender.Deposit = new(big.Int) }, ErrFunds, &pm.ErrNoDeposit,
			[]string{"deposit is zero"}, []string{"pmctl fund --deposit"}, false},
		{"no reserve", func(w *world) { w.facts.Sender.Reserve.FundsRemaining = new(big.Int) }, ErrFunds, &pm.ErrNoReserve,
			[]string{"reserve is zero"}, []string{"--reserve AMOUNT"}, false},
		{"unlocking", func(w *world) { w.facts.Sender.WithdrawRound = big.NewInt(6) }, ErrUnacceptable, &pm.ErrSenderUnlocking,
			[]string{"round 6"}, []string{"pmctl unlock cancel"}, false},
		{"expired", func(w *world) { w.facts.LastSeenL1Block = big.NewInt(139) }, ErrUnacceptable, &pm.ErrTicketParamsExpired,
			[]string{"140", "139"}, []string{"pmctl params fetch"}, false},
		{"no expiration block", func(w *world) { w.params.ExpirationBlock = nil }, ErrUnacceptable, &pm.ErrNoExpirationBlock,
			[]string{"expiration block is 0"}, []string{"malformed"}, true},
		{"certain to win", func(w *world) {
			w.params.WinProb = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
		}, ErrUnacceptable, &pm.ErrEVNotBelowFaceValue, []string{"not below"}, []string{"lottery"}, true},
		{"257 bits", func(w *world) { w.params.FaceValue = new(big.Int).Lsh(big.NewInt(1), 256) }, ErrUnacceptable, new(*pm.FieldError),
			[]string{"faceValue", "257 bits"}, []string{"malformed"}, true},
		{"pinned recipient", func(w *world) { w.limits.Recipients = []common.Address{{0xbb}} }, ErrLimit, &ErrWrongRecipient,
			[]string{common.Address{0xaa}.Hex(), common.Address{0xbb}.Hex()}, []string{"--recipient"}, true},
		{"max face value", func(w *world) {
			limit := wei.FromUint64(3999 * gwei)
			w.limits.MaxFaceValue = &limit
		}, ErrLimit, &ErrMaxFaceValue, []string{"4000 gwei", "3999 gwei"}, []string{"--max-face-value", "-maxFaceValue"}, true},
		{"total EV by less than a wei", func(w *world) { w.n = 20 }, ErrLimit, new(*pm.MaxTotalEVError),
			[]string{"20 tickets, ~20000 gwei, is above the limit of 20000 gwei by 1.7e-64 wei"}, []string{"at most 19 tickets at once, worth ~19000 gwei"}, true},
		{"ticket EV by less than a wei", func(w *world) { w.limits.MaxEV = big.NewRat(1000*gwei, 1) }, ErrLimit, new(*pm.MaxEVError),
			[]string{"~1000 gwei is above the limit of 1000 gwei by "}, []string{"--max-ticket-ev"}, true},
		{"more tickets than a session has", func(w *world) { w.n, w.limits.MaxTotalEV = 601, nil }, ErrUnacceptable, new(*pm.NonceCapError),
			[]string{"601 tickets are more than the 600 that one set of ticket params allows"}, []string{"at most 600", "fresh ticket params"}, true},
		{"absurdly many tickets", func(w *world) {
			w.n, w.limits.MaxTotalEV, w.limits.NonceCap = math.MaxUint64, nil, 0
		}, ErrUnacceptable, new(*pm.NonceCapError), []string{"18446744073709551615"}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{Default(), goodParams(), goodFacts(), 5}
			c.change(w)
			check := func(err error) {
				var refusal *Refusal
				require.ErrorAs(t, err, &refusal)
				require.ErrorIs(t, err, c.kind)
				for _, other := range []error{ErrLimit, ErrFunds, ErrUnacceptable} {
					require.Equal(t, other == c.kind, errors.Is(err, other))
				}
				if sentinel, ok := c.err.(*error); ok {
					require.ErrorIs(t, err, *sentinel)
				} else {
					require.ErrorAs(t, err, c.err)
				}
				for _, part := range c.message {
					require.Contains(t, err.Error(), part)
				}
				for _, part := range c.hint {
					require.Contains(t, refusal.Hint(), part)
				}
			}
			check(w.limits.Check(w.params, *w.facts, w.n))
			offline := w.limits.CheckParams(w.params, w.n)
			if !c.offline {
				require.NoError(t, offline)
				return
			}
			check(offline)
		})
	}
}

func TestNoTickets(t *testing.T) {
	require.ErrorIs(t, Default().Check(goodParams(), *goodFacts(), 0), pm.ErrTicketCount)
	require.Error(t, Default().Check(nil, *goodFacts(), 1))
}

// TestALimitThatLooksAlike is shown with what a value exceeds it by.
func TestALimitThatLooksAlike(t *testing.T) {
	third, tenth := big.NewRat(1, 3), big.NewRat(1, 10)
	above := new(big.Rat).Add(third, big.NewRat(1, 1e12))
	for _, c := range []struct {
		value, limit     *big.Rat
		exceeded, atMost string
	}{
		{big.NewRat(10, 3), big.NewRat(3, 1), "3 wei", "at most 3 wei"},
		{new(big.Rat).Add(big.NewRat(3, 1), big.NewRat(2, 1e12)), big.NewRat(3, 1), "3 wei by 2.0e-12 wei", "at most 3 wei, exceeded by 2.0e-12 wei"},
		{above, third, "~0.333333333 wei by 1.0e-12 wei", "at most ~0.333333333 wei, exceeded by 1.0e-12 wei"},
		{third, third, "~0.333333333 wei", "at most ~0.333333333 wei"},
		{tenth, third, "~0.333333333 wei", "at most ~0.333333333 wei"},
	} {
		require.Equal(t, c.exceeded, Exceeded(c.value, c.limit))
		require.Equal(t, c.atMost, AtMost(c.value, c.limit))
	}
}
