// Package num is about numbers of any size.
package num

import "math/big"

// OrZero returns v, or 0 for nil. The answer is for reading only.
func OrZero[T big.Int | big.Rat](v *T) *T {
	if v == nil {
		return new(T)
	}
	return v
}

// Min is the smaller of two numbers.
func Min(a, b *big.Int) *big.Int {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// Max is the larger of two numbers.
func Max(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}
