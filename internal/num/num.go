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

// Sum returns a + b. Reducing a fraction takes far longer than adding, and longer the larger its
// terms are, so that those with one denominator, as of tickets of one kind, keep it. With a whole number
// there is nothing to reduce.
func Sum(a, b *big.Rat) *big.Rat {
	switch {
	case a.IsInt() && !b.IsInt():
		return Sum(b, a)
	case b.IsInt():
		sum := new(big.Rat).Set(a)
		sum.Num().Add(sum.Num(), new(big.Int).Mul(b.Num(), a.Denom()))
		return sum
	case a.Denom().Cmp(b.Denom()) == 0:
		return new(big.Rat).SetFrac(new(big.Int).Add(a.Num(), b.Num()), a.Denom())
	}
	return new(big.Rat).Add(a, b)
}

// Times returns n times a.
func Times(a *big.Rat, n uint64) *big.Rat {
	if n == 1 {
		return new(big.Rat).Set(a)
	}
	return new(big.Rat).Mul(a, new(big.Rat).SetUint64(n))
}

// Ceil returns the least whole number that is not below r.
func Ceil(r *big.Rat) *big.Int {
	return ceil(r.Num(), r.Denom())
}

// CeilQuo returns the least whole number that is not below a / b, where b is positive. It does not
// reduce the quotient.
func CeilQuo(a, b *big.Rat) *big.Int {
	return ceil(new(big.Int).Mul(a.Num(), b.Denom()), new(big.Int).Mul(a.Denom(), b.Num()))
}

func ceil(a, b *big.Int) *big.Int {
	whole, rest := new(big.Int).DivMod(a, b, new(big.Int))
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
