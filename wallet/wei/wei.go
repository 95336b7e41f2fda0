// Package wei has amounts of ether that carry their unit: whole wei of at most
// 256 bits, never negative, never a float.
package wei

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/holiman/uint256"
)

// Wei is an amount in wei (10^18 wei = 1 ETH), 0 to 2^256-1. It is a value: it
// shares memory with nothing, compares with ==, and its zero value is 0 wei.
type Wei struct{ u uint256.Int }

// Powers of ten between wei and the units that people write.
const (
	gweiDecimals = 9
	ethDecimals  = 18
)

// decimalsOf is a unit's power of ten, by its name in upper or lower case.
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
	// ErrNoUnit is returned for an amount that does not say its unit.
	ErrNoUnit = errors.New("amount has no unit")
	// ErrSyntax is returned for text that is not an amount.
	ErrSyntax = errors.New("not an amount")
	// ErrRange is returned for an amount that is negative or over 2^256-1 wei.
	ErrRange = errors.New("amount out of range")
	// ErrTooPrecise is returned for an amount with a fraction of a wei.
	ErrTooPrecise = errors.New("amount is finer than one wei")
)

// spellings is the hint that amounts without a usable unit are answered with.
const spellings = `write it as 0.1eth, 25gwei or 1000wei`

// FromUint64 returns v wei.
func FromUint64(v uint64) Wei {
	var w Wei
	w.u.SetUint64(v)
	return w
}

// FromBig returns v wei. It fails with ErrRange for nil, negative and over 256 bits.
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

// Ceil returns the smallest whole number of wei that is not below r, an exact
// rational in wei such as an expected value. It fails as FromBig does.
func Ceil(r *big.Rat) (Wei, error) {
	q, m := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	if m.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	return FromBig(q)
}

// Parse reads an amount with its unit: digits, at most one decimal point, a power of ten
// such as e18 if need be, and one of wei, gwei, eth or ether, such as 0.1eth, 25gwei or
// 1e18wei; a space may stand before the unit, whose case does not matter. It fails with
// ErrNoUnit, ErrSyntax, ErrRange or ErrTooPrecise.
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
		return Wei{}, fmt.Errorf("%w: %q is not a unit; %s", ErrNoUnit, unit, spellings)
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
		return Wei{}, fmt.Errorf("%w: %q has %d decimals, %s has at most %d", ErrTooPrecise, s, len(fraction), strings.ToLower(unit), decimals)
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

// splitUnit parts a number from the letters behind it.
func splitUnit(s string) (number, unit string) {
	end := len(s)
	for end > 0 && isLetter(s[end-1]) {
		end--
	}
	return strings.TrimSuffix(s[:end], " "), s[end:]
}

// IsUnit reports whether text is a unit of amounts, in upper or lower case.
func IsUnit(text string) bool {
	_, known := decimalsOf(text)
	return known
}

// maxDigits bounds what Parse converts; 2^256-1 has 78 digits, the rest is
// leeway for leading zeros.
const maxDigits = 100

// maxExponent is how many digits a power of ten may have.
const maxExponent = 3

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Big returns the amount in wei as an integer of the caller's own.
func (w Wei) Big() *big.Int { return w.u.ToBig() }

// Rat returns the amount in wei as a rational of the caller's own.
func (w Wei) Rat() *big.Rat { return new(big.Rat).SetInt(w.Big()) }

// IsZero reports whether the amount is 0 wei.
func (w Wei) IsZero() bool { return w.u.IsZero() }

// Cmp returns -1, 0 or 1 as w is below, equal to or above x.
func (w Wei) Cmp(x Wei) int { return w.u.Cmp(&x.u) }

// Add returns w + x; it fails with ErrRange above 2^256-1 wei.
func (w Wei) Add(x Wei) (Wei, error) {
	var sum Wei
	if _, over := sum.u.AddOverflow(&w.u, &x.u); over {
		return Wei{}, fmt.Errorf("%w: %s + %s is over 2^256-1 wei", ErrRange, w, x)
	}
	return sum, nil
}

// Sub returns w - x; it fails with ErrRange below 0.
func (w Wei) Sub(x Wei) (Wei, error) {
	var difference Wei
	if _, under := difference.u.SubOverflow(&w.u, &x.u); under {
		return Wei{}, fmt.Errorf("%w: %s - %s is negative", ErrRange, w, x)
	}
	return difference, nil
}

// Mul returns w · n; it fails with ErrRange above 2^256-1 wei.
func (w Wei) Mul(n uint64) (Wei, error) {
	var product Wei
	if _, over := product.u.MulOverflow(&w.u, uint256.NewInt(n)); over {
		return Wei{}, fmt.Errorf("%w: %s times %d is over 2^256-1 wei", ErrRange, w, n)
	}
	return product, nil
}
