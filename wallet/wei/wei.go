// Package wei represents amounts of ether: whole wei of at most 256 bits, never negative, without
// floats.
package wei

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/holiman/uint256"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/internal/words"
)

// Wei is an amount in wei (10^18 wei = 1 ETH), from 0 to 2^256-1. It is a value that can be
// compared with ==; the zero value is 0 wei.
type Wei struct{ u uint256.Int }

// Powers of ten between wei and the units.
const (
	gweiDecimals = 9
	ethDecimals  = 18
)

// decimalsOf returns the power of ten of a unit's name, in any case.
func decimalsOf(unit string) (decimals int, known bool) {
	switch strings.ToLower(unit) {
	case "wei":
		return 0, true
	case "gwei":
		return gweiDecimals, true
	case "eth", "ether":
		return ethDecimals, true
	}
	return 0, false
}

var (
	// ErrNoUnit is returned for an amount without a unit.
	ErrNoUnit = errors.New("amount has no unit")
	// ErrUnit is returned for an amount with a unit that there is not.
	ErrUnit = errors.New("unknown unit")
	// ErrSyntax is returned for text that is not an amount.
	ErrSyntax = errors.New("not an amount")
	// ErrRange is returned for an amount that is negative or over 2^256-1 wei.
	ErrRange = errors.New("amount out of range")
	// ErrTooPrecise is returned for an amount with a fraction of a wei.
	ErrTooPrecise = errors.New("amount is finer than one wei")
)

// spellings is the hint for amounts without a usable unit.
const spellings = `write it as 0.1eth, 25gwei or 1000wei`

// FromUint64 returns v wei.
func FromUint64(v uint64) Wei {
	var w Wei
	w.u.SetUint64(v)
	return w
}

// FromBig returns v wei. It returns ErrRange if v is nil, negative or over 256 bits.
func FromBig(v *big.Int) (Wei, error) {
	var w Wei
	switch {
	case v == nil:
		return w, fmt.Errorf("%w: no value", ErrRange)
	case v.Sign() < 0:
		return w, fmt.Errorf("%w: %v wei is negative", ErrRange, v)
	case w.u.SetFromBig(v):
		return Wei{}, fmt.Errorf("%w: %d bits, at most 256", ErrRange, v.BitLen())
	}
	return w, nil
}

// Ceil returns the smallest whole number of wei that is at least r, such as an expected value. It
// returns the errors of FromBig.
func Ceil(r *big.Rat) (Wei, error) {
	if r == nil {
		return FromBig(nil)
	}
	return FromBig(num.Ceil(r))
}

// Parse parses an amount with its unit: digits with an optional decimal point and an optional power
// of ten such as e18, and one of wei, gwei, eth or ether, in any case, after an optional space:
// 0.1eth, 25gwei, 1e18wei. It returns ErrNoUnit, ErrUnit, ErrSyntax, ErrRange or ErrTooPrecise.
func Parse(s string) (Wei, error) {
	number, unit := splitUnit(s)
	if strings.HasPrefix(number, "-") {
		return Wei{}, fmt.Errorf("%w: %q is negative", ErrRange, s)
	}
	mantissa, power, hasPower := strings.Cut(strings.ToLower(number), "e")
	whole, fraction, hasPoint := strings.Cut(mantissa, ".")
	sign, exponent := 1, strings.TrimPrefix(power, "+")
	if strings.HasPrefix(power, "-") {
		sign, exponent = -1, power[1:]
	}
	if !isDigits(whole) || hasPoint && !isDigits(fraction) || hasPower && !isDigits(exponent) {
		return Wei{}, fmt.Errorf("%w: %q; %s", ErrSyntax, s, spellings)
	}
	decimals, known := decimalsOf(unit)
	switch {
	case unit == "":
		return Wei{}, fmt.Errorf("%w: %q; %s", ErrNoUnit, s, spellings)
	case !known:
		return Wei{}, fmt.Errorf("%w %q; %s", ErrUnit, unit, spellings)
	case len(whole)+len(fraction) > maxDigits:
		return Wei{}, fmt.Errorf("%w: a number of %d digits, at most 2^256-1 wei", ErrRange, len(whole)+len(fraction))
	case len(exponent) > maxExponent:
		return Wei{}, fmt.Errorf("%w: %q has a power of ten of %d digits", ErrRange, s, len(exponent))
	}
	shift := decimals - len(fraction)
	if hasPower {
		power, _ := strconv.Atoi(exponent)
		shift += sign * power
	}
	digits := whole + fraction
	switch {
	case shift > maxDigits:
		return Wei{}, fmt.Errorf("%w: %q is above 2^256-1 wei", ErrRange, s)
	case shift < 0 && !hasPower:
		return Wei{}, fmt.Errorf("%w: %q has %s, %s has at most %d", ErrTooPrecise, s, words.Count(len(fraction), "decimal"), strings.ToLower(unit), decimals)
	case shift < 0:
		kept := max(0, len(digits)+shift)
		if strings.Trim(digits[kept:], "0") != "" {
			return Wei{}, fmt.Errorf("%w: %q", ErrTooPrecise, s)
		}
		digits = "0" + digits[:kept]
	default:
		digits += strings.Repeat("0", shift)
	}
	v, _ := new(big.Int).SetString(digits, 10)
	w, err := FromBig(v)
	if err != nil {
		return Wei{}, fmt.Errorf("%q: %w", s, err)
	}
	return w, nil
}

func splitUnit(s string) (number, unit string) {
	number = strings.TrimRightFunc(s, func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' })
	return strings.TrimSuffix(number, " "), s[len(number):]
}

// IsUnit reports whether text is a unit, in any case.
func IsUnit(text string) bool {
	_, known := decimalsOf(text)
	return known
}

// maxDigits limits what Parse converts; 2^256-1 has 78 digits, the rest allows for leading zeros.
const maxDigits = 100

// maxExponent is the most digits of a power of ten.
const maxExponent = 3

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Big returns the amount in wei as a new integer.
func (w Wei) Big() *big.Int { return w.u.ToBig() }

// Rat returns the amount in wei as a new rational number.
func (w Wei) Rat() *big.Rat { return new(big.Rat).SetInt(w.Big()) }

// IsZero reports whether the amount is 0.
func (w Wei) IsZero() bool { return w.u.IsZero() }

// Cmp returns -1, 0 or 1 if w is less than, equal to or greater than x.
func (w Wei) Cmp(x Wei) int { return w.u.Cmp(&x.u) }

// Add returns w + x, or ErrRange above 2^256-1 wei.
func (w Wei) Add(x Wei) (Wei, error) {
	var sum Wei
	if _, over := sum.u.AddOverflow(&w.u, &x.u); over {
		return Wei{}, fmt.Errorf("%w: %s + %s is over 2^256-1 wei", ErrRange, w, x)
	}
	return sum, nil
}

// Sub returns w - x, or ErrRange below 0.
func (w Wei) Sub(x Wei) (Wei, error) {
	var difference Wei
	if _, under := difference.u.SubOverflow(&w.u, &x.u); under {
		return Wei{}, fmt.Errorf("%w: %s - %s is negative", ErrRange, w, x)
	}
	return difference, nil
}

// Mul returns w · n, or ErrRange above 2^256-1 wei.
func (w Wei) Mul(n uint64) (Wei, error) {
	var product Wei
	if _, over := product.u.MulOverflow(&w.u, uint256.NewInt(n)); over {
		return Wei{}, fmt.Errorf("%w: %s times %d is over 2^256-1 wei", ErrRange, w, n)
	}
	return product, nil
}
