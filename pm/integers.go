package pm

import (
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
)

// uintBits and uintBytes are the width of the integers that are hashed: Solidity's
// uint256.
const (
	uintBits  = 256
	uintBytes = uintBits / 8
)

// maxWinProb returns 2^256-1, the winProb of a ticket that always wins but for one draw in
// 2^256. Each call returns a copy, so that no caller can change it for others.
func maxWinProb() *big.Int {
	m := new(big.Int).Lsh(big.NewInt(1), uintBits)
	return m.Sub(m, big.NewInt(1))
}

// FieldError is a number that does not fit its field, an unsigned integer of at most 256 bits.
// Hashed as it is, it would shift the fields after it.
type FieldError struct {
	// Field is the field's name in the protocol, such as faceValue.
	Field string
	// Negative is set if the number is below zero.
	Negative bool
	// Bits is how many bits the number has; at most 256 are allowed.
	Bits int
}

func (e *FieldError) Error() string {
	if e.Negative {
		return fmt.Sprintf("%s is negative", e.Field)
	}
	return fmt.Sprintf("%s has %d bits, at most %d", e.Field, e.Bits, uintBits)
}

// checkUint fails with *FieldError unless v fits 256 bits; nil counts as 0.
func checkUint(field string, v *big.Int) error {
	if v == nil || v.Sign() >= 0 && v.BitLen() <= uintBits {
		return nil
	}
	return &FieldError{Field: field, Negative: v.Sign() < 0, Bits: v.BitLen()}
}

// copyInt returns a copy that shares no memory with v; nil stays nil.
func copyInt(v *big.Int) *big.Int {
	if v == nil {
		return nil
	}
	return new(big.Int).Set(v)
}

// copyRat returns a copy that shares no memory with v; nil stays nil.
func copyRat(v *big.Rat) *big.Rat {
	if v == nil {
		return nil
	}
	return new(big.Rat).Set(v)
}

// appendUint appends v as 32 big-endian bytes. v has been checked to fit.
func appendUint(buf []byte, v *big.Int) []byte {
	var word [uintBytes]byte
	num.OrZero(v).FillBytes(word[:])
	return append(buf, word[:]...)
}

// weiText formats an exact amount in wei for an error message.
func weiText(v *big.Rat) string {
	v = num.OrZero(v)
	if v.IsInt() {
		return v.Num().String() + " wei"
	}
	return v.FloatString(3) + " wei"
}
