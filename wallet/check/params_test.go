package check_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/policy"
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

// Params shows every check, and says no exactly where Check does.
func TestParamsAgreeWithCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string, values ...int64) *big.Int {
			return big.NewInt(rapid.SampledFrom(values).Draw(t, name))
		}
		limits := policy.Default()
		if rapid.Bool().Draw(t, "face limit") {
			limit, err := wei.FromBig(pick("max face value", 0, 3999*gwei, 4000*gwei))
			require.NoError(t, err)
			limits.MaxFaceValue = &limit
		}
		if rapid.Bool().Draw(t, "pin") {
			limits.Recipients = []common.Address{{rapid.SampledFrom([]byte{0xaa, 0xbb}).Draw(t, "pinned")}}
		}
		if rapid.Bool().Draw(t, "no limits") {
			limits.Limits = pm.Limits{}
		}
		limits.DepositMultiplier = int(pick("multiplier", 0, 1, 3).Int64())
		params, facts := goodParams(), goodFacts()
		params.FaceValue = pick("face value", 0, 1, 4000*gwei, 12_000*gwei, 12_001*gwei)
		params.WinProb = rapid.SampledFrom([]*big.Int{
			nil, new(big.Int), big.NewInt(1), quarter(),
			new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)),
			new(big.Int).Lsh(big.NewInt(1), 256),
		}).Draw(t, "winProb")
		params.ExpirationBlock = pick("expiration", 0, 99, 101, 102, 140)
		if rapid.Bool().Draw(t, "no round") {
			params.ExpirationParams = nil
		}
		facts.Sender.Deposit = pick("deposit", 0, 1, 3999*gwei, 4000*gwei, 12_000*gwei, 1e18)
		facts.Sender.WithdrawRound = pick("withdraw round", 0, 5, 6, 7)
		facts.Sender.Reserve.FundsRemaining = pick("reserve", 0, 1)
		about := pm.CounterpartyOf(params)
		said := pm.CounterpartyFacts{Active: rapid.Bool().Draw(t, "active")}
		if about.Round > 0 && rapid.Bool().Draw(t, "same chain") {
			said.RoundHash = params.ExpirationParams.CreationRoundBlockHash
		}
		facts.Counterparties = map[pm.Counterparty]pm.CounterpartyFacts{about: said}
		limits.InactiveOK = rapid.Bool().Draw(t, "inactive ok")
		n := rapid.SampledFrom([]uint64{1, 5, 20, 21, 600, 601, math.MaxUint64}).Draw(t, "n")

		failed := func(findings []check.Finding) bool {
			for _, f := range findings {
				require.NotEmpty(t, f.Found)
				if f.State == check.Failed {
					return true
				}
			}
			return false
		}
		online := check.Params(limits, params, facts, n)
		require.Equal(t, limits.Check(params, *facts, n) != nil, failed(online), "%v", online)
		for _, f := range online {
			require.NotEqual(t, check.Skipped, f.State, "%v", f)
		}
		offline := check.Params(limits, params, nil, n)
		require.Equal(t, limits.CheckParams(params, n) != nil, failed(offline), "%v", offline)
	})
}

func TestParamsSayWhatNeedsTheChain(t *testing.T) {
	var open []string
	for _, f := range check.Params(policy.Default(), goodParams(), nil, 1) {
		if f.State == check.Skipped {
			open = append(open, f.ID)
		}
	}
	require.Equal(t, []string{"expiry", "chain", "active", "sender", "deposit"}, open)
	require.NotPanics(t, func() {
		check.Params(policy.Default(), nil, nil, 1)
		check.Params(policy.Default(), &pm.TicketParams{}, nil, 1)
		check.Params(policy.Default(), goodParams(), &pm.Facts{}, 1)
	})
}

func TestTheDepositAsJudged(t *testing.T) {
	limits, err := policy.Default().With(policy.Rules{Values: policy.Values{policy.DepositMultiplier: policy.Count(3)}, Where: policy.Setting.Flag})
	require.NoError(t, err)
	for factor, want := range map[int64]check.State{2: check.Failed, 3: check.OK, 4: check.OK} {
		params, facts := goodParams(), goodFacts()
		facts.Sender.Deposit = new(big.Int).Mul(params.FaceValue, big.NewInt(factor))
		found := false
		for _, f := range check.Params(limits, params, facts, 1) {
			if f.ID == "deposit" {
				found = true
				require.Equal(t, want, f.State, "%d face values", factor)
			}
		}
		require.True(t, found)
	}
}

// TestAtTheLimitIsWithinIt: what comes to a limit exactly is allowed, and judged so.
func TestAtTheLimitIsWithinIt(t *testing.T) {
	limits, params := policy.Default(), goodParams()
	limits.MaxTotalEV = new(big.Rat).Mul(params.EV(), big.NewRat(3, 1))
	for n, want := range map[uint64]check.State{3: check.OK, 4: check.Failed} {
		for _, finding := range check.Params(limits, params, goodFacts(), n) {
			if finding.ID == "total EV" {
				require.Equal(t, want, finding.State, "%d tickets: %s", n, finding.Found)
				want = ""
			}
		}
		require.Empty(t, want, "it is judged")
	}
}
