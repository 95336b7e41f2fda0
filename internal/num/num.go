// Package num has helpers for big integers.
package num

import "math/big"

// OrZero returns v, or 0 for nil. The result must not be changed.
func OrZero[T big.Int | big.Rat](v *T) *T {
	if v == nil {
		return new(T)
	}
	return v
}

// Ceil returns the least whole number that is not below r.
func Ceil(r *big.Rat) *big.Int {
	whole, rest := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return whole
}

// Min returns the smaller of two numbers.
func Min(a, b *big.Int) *big.Int {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// Max returns the larger of two numbers.
func Max(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}
