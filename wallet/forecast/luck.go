package forecast

import (
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Luck is what chance makes of the spending of one period.
type Luck struct {
	// Wins is the distribution of the number of winning tickets.
	Wins Distribution `json:"-"`
	// ExpectedWins is the mean of Wins.
	ExpectedWins float64 `json:"expected_wins"`
	// AtLeast are the chances to pay 1.5 times and twice the expected amount, or more.
	AtLeast []Excess `json:"at_least"`
	// AtMost is what 99 % and 99.9 % of all periods stay within.
	AtMost []Quantile `json:"at_most"`
	// Deposit covers the last of AtMost, and Spare face values that must remain after it.
	Deposit wei.Wei `json:"deposit"`
	Spare   uint64  `json:"spare_face_values"`
}

// Excess is the chance of at least Wins wins, which cost Paid, at least Times the expected amount.
type Excess struct {
	Times  float64 `json:"times"`
	Wins   uint64  `json:"wins"`
	Paid   wei.Wei `json:"paid"`
	Chance float64 `json:"chance"`
}

// Quantile is a number of wins, which cost Paid. The chance of at most as many is Chance, which is
// above 1 - Risk; with fewer it is not.
type Quantile struct {
	Risk   float64 `json:"risk"`
	Wins   uint64  `json:"wins"`
	Paid   wei.Wei `json:"paid"`
	Chance float64 `json:"chance"`
}

// NewLuck returns the luck of tickets that are worth spend together, in wei, and pay a face value
// if they win. It takes the number of wins as Poisson distributed, whose spread is that of many
// tickets that rarely win, and never less than theirs. depositMultiplier is as in Need. It returns
// ErrNeed.
func NewLuck(spend *big.Rat, faceValue wei.Wei, depositMultiplier uint64) (*Luck, error) {
	mean, wins, err := winsOf(spend, faceValue)
	if err != nil {
		return nil, err
	}
	if num.OrZero(spend).Sign() == 0 {
		return nil, fmt.Errorf("%w: nothing is spent", ErrNeed)
	}
	l := &Luck{Wins: wins, Spare: spare(depositMultiplier)}
	l.ExpectedWins, _ = mean.Float64()
	for _, times := range []*big.Rat{big.NewRat(3, 2), big.NewRat(2, 1)} {
		e := Excess{Wins: num.Ceil(new(big.Rat).Mul(mean, times)).Uint64()}
		e.Times, _ = times.Float64()
		e.Chance = wins.AtLeast(e.Wins)
		if e.Paid, err = faceValue.Mul(e.Wins); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNeed, err)
		}
		l.AtLeast = append(l.AtLeast, e)
	}
	for _, risk := range []float64{0.01, 0.001} {
		q := Quantile{Risk: risk, Wins: wins.Quantile(risk)}
		q.Chance = wins.AtMost(q.Wins)
		if q.Paid, err = faceValue.Mul(q.Wins); err == nil {
			l.Deposit, err = depositFor(q.Wins, l.Spare, faceValue)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNeed, err)
		}
		l.AtMost = append(l.AtMost, q)
	}
	return l, nil
}
