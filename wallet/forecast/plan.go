package forecast

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Risk is the probability of running out of funds that a plan accepts.
const Risk = 0.01

// Need is what a plan must cover.
type Need struct {
	// Spend is the expected value of the tickets until the next top-up, in wei; nil counts as 0.
	Spend *big.Rat
	// FaceValue is what a win pays.
	FaceValue wei.Wei
	// Recipients is how many are paid, PoolSize how many share the reserve: all active ones.
	Recipients, PoolSize uint64
	// DepositMultiplier is how many face values the deposit must cover before a ticket is created;
	// less than 1 counts as 1.
	DepositMultiplier uint64
}

// Plan is the deposit and the reserve that keep the probability of running out below Risk.
type Plan struct {
	// ExpectedWins is Spend / FaceValue. Wins is exceeded with probability Chance, which is below
	// Risk.
	ExpectedWins float64 `json:"expected_wins"`
	Wins         uint64  `json:"wins"`
	Chance       float64 `json:"chance"`
	Risk         float64 `json:"risk"`
	// Spare is how many face values must remain in the deposit after Wins.
	Spare uint64 `json:"spare_face_values"`
	// Sharers is the number of shares of the reserve.
	Sharers uint64 `json:"-"`

	Deposit wei.Wei `json:"deposit"`
	Reserve wei.Wei `json:"reserve"`
}

// pendingRatio is how many times the deposit must exceed the tickets being redeemed, so that a
// recipient does not count them against the reserve.
const pendingRatio = 3

// mostWins limits the expected wins: with more, the face value makes no sense.
const mostWins = 1e9

// ErrNeed is returned for a need that has no plan, and spending whose wins cannot be calculated.
var ErrNeed = errors.New("cannot calculate")

// Fund returns the plan for a need. With F the face value:
//
//	wins    ~ Poisson(Spend / F)
//	Deposit = (k + spare) · F   where k is the least with P(wins > k) < Risk
//	Reserve = sharers · F
//
// The wins of tickets spread no more than the Poisson distribution, whatever their probability. The
// spare keeps payments possible up to the last of those wins: a recipient counts tickets being
// redeemed against its share of the reserve unless the deposit is three times as large, so two face
// values must remain after it; and tickets are created only while the deposit covers
// DepositMultiplier face values. A recipient accepts no face value above its share of the reserve,
// which is the reserve divided by the pool's size.
//
// It returns ErrNeed.
func Fund(n Need) (Plan, error) {
	if n.Recipients == 0 {
		return Plan{}, fmt.Errorf("%w: there are no recipients", ErrNeed)
	}
	mean, wins, err := winsOf(n.Spend, n.FaceValue)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Risk: Risk, Spare: spare(n.DepositMultiplier), Sharers: max(n.PoolSize, n.Recipients)}
	p.ExpectedWins, _ = mean.Float64()
	p.Wins = wins.Quantile(Risk)
	p.Chance = wins.AtLeast(p.Wins + 1)
	if p.Deposit, err = depositFor(p.Wins, p.Spare, n.FaceValue); err == nil {
		p.Reserve, err = n.FaceValue.Mul(p.Sharers)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("%w: %w", ErrNeed, err)
	}
	return p, nil
}

// spare returns how many face values must remain in a deposit, for recipients and for the sender.
func spare(depositMultiplier uint64) uint64 { return max(pendingRatio-1, depositMultiplier) }

// depositFor returns the deposit that pays wins and keeps spare face values. It returns wei.ErrRange.
func depositFor(wins, spare uint64, faceValue wei.Wei) (wei.Wei, error) {
	count := new(big.Int).Add(new(big.Int).SetUint64(wins), new(big.Int).SetUint64(spare)) // may exceed 64 bits
	return wei.FromBig(count.Mul(count, faceValue.Big()))
}

// winsOf returns the expected number of wins, exactly, and its distribution.
func winsOf(spend *big.Rat, faceValue wei.Wei) (mean *big.Rat, wins Distribution, err error) {
	spend = num.OrZero(spend)
	switch {
	case faceValue.IsZero():
		return nil, wins, fmt.Errorf("%w: the face value is 0", ErrNeed)
	case spend.Sign() < 0:
		return nil, wins, fmt.Errorf("%w: the spending is negative", ErrNeed)
	}
	mean = new(big.Rat).Quo(spend, faceValue.Rat())
	expected, _ := mean.Float64()
	if expected > mostWins {
		return nil, wins, fmt.Errorf("%w: %s in tickets with a face value of %s is %.3g expected wins, above the limit of %.0e: the face value is too small",
			ErrNeed, wei.Format(spend), faceValue, expected, float64(mostWins))
	}
	return mean, Poisson(expected), nil
}
