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
