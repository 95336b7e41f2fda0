package wei

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/pmctl/pmctl/internal/num"
)

// Decimal returns the amount as a decimal number of wei without a unit, as in JSON.
func (w Wei) Decimal() string { return w.u.Dec() }

// String returns the exact amount in the largest readable unit: 0.1 ETH, 25 gwei, 1000 wei. Parse
// can read it.
func (w Wei) String() string { return Format(w.Rat()) }

// Flag returns a whole number of wei exactly, as a flag takes it: 0.3eth, 25gwei, 1000wei. nil counts
// as 0.
func Flag(amount *big.Int) string {
	return strings.ToLower(strings.ReplaceAll(Format(new(big.Rat).SetInt(num.OrZero(amount))), " ", ""))
}

// MarshalText writes the amount as a decimal number of wei.
func (w Wei) MarshalText() ([]byte, error) { return []byte(w.Decimal()), nil }

// UnmarshalText parses a decimal number of wei. It returns ErrSyntax or ErrRange.
func (w *Wei) UnmarshalText(text []byte) error {
	s := string(text)
	if !isDigits(s) || len(s) > 1 && s[0] == '0' {
		return fmt.Errorf("%w: %.40q is not a decimal number of wei", ErrSyntax, s)
	}
	if len(s) > maxDigits {
		return fmt.Errorf("%w: a number of %d digits, at most 2^256-1 wei", ErrRange, len(s))
	}
	v, _ := new(big.Int).SetString(s, 10)
	got, err := FromBig(v)
	if err != nil {
		return err
	}
	*w = got
	return nil
}

// Format returns a rational number of wei, such as an expected value, with its unit. A fraction of
// a wei is cut after nine decimals and marked with ~. What that would leave nothing of is "less than
// 0.000000001 wei". nil counts as 0.
func Format(r *big.Rat) string {
	r = num.OrZero(r)
	unit, decimals := "wei", 0
	abs := new(big.Rat).Abs(r)
	switch {
	case abs.Cmp(pow10(ethDecimals-4)) >= 0:
		unit, decimals = "ETH", ethDecimals
	case abs.Cmp(pow10(gweiDecimals-4)) >= 0:
		unit, decimals = "gwei", gweiDecimals
	}
	const fractionOfWei = 9
	scaled := new(big.Rat).Quo(r, pow10(decimals))
	approximate := ""
	if !r.IsInt() {
		// Cut toward zero, so that an amount is never displayed as more than it is.
		units := new(big.Int).Quo(new(big.Int).Mul(r.Num(), pow10(fractionOfWei).Num()), r.Denom())
		cut := new(big.Rat).SetFrac(units, pow10(fractionOfWei).Num())
		switch {
		case cut.Sign() == 0:
			return "less than 0.000000001 wei"
		case cut.Cmp(r) != 0:
			approximate = "~"
		}
		scaled.Quo(cut, pow10(decimals))
	}
	text := scaled.FloatString(decimals + fractionOfWei)
	text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	return approximate + text + " " + unit
}

func pow10(n int) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
}

// Text returns a contract's number with its unit, or unchanged if it is not a valid amount.
func Text(amount *big.Int) string {
	w, err := FromBig(amount)
	if err != nil {
		return amount.String() + " wei"
	}
	return w.String()
}
