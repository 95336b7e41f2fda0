package format

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strconv"

	"github.com/holiman/uint256"
)

// Num is an integer of 0 to 2^63-1: a count, nonce, block, round or number of
// milliseconds, written as a number.
type Num int64

// UnmarshalJSON reads a number. It fails with *json.UnmarshalTypeError, to which the
// decoder adds the field.
func (n *Num) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || v < 0 || strconv.FormatInt(v, 10) != string(text) {
		return numberError[Num](text)
	}
	*n = Num(v)
	return nil
}

// BigNum is a number as Num is, of at most 256 bits: recipients and contracts give some
// that many.
type BigNum struct{ v uint256.Int }

// NewBigNum returns v, which has at most 256 bits; nil counts as 0.
func NewBigNum(v *big.Int) (n BigNum) {
	if v != nil {
		n.v.SetFromBig(v)
	}
	return n
}

// String is the number in decimal.
func (n BigNum) String() string { return n.v.Dec() }

// Big returns the number as an integer of the caller's own.
func (n BigNum) Big() *big.Int { return n.v.ToBig() }

func (n BigNum) MarshalJSON() ([]byte, error) { return []byte(n.v.Dec()), nil }

// UnmarshalJSON reads a number. It fails with *json.UnmarshalTypeError, to which the
// decoder adds the field.
func (n *BigNum) UnmarshalJSON(text []byte) error {
	var v uint256.Int
	if err := v.SetFromDecimal(string(text)); err != nil || v.Dec() != string(text) {
		return numberError[BigNum](text)
	}
	n.v = v
	return nil
}

// numberError is JSON that is no T, in the decoder's own kind of error.
func numberError[T any](text []byte) error {
	value := string(text)
	switch text[0] {
	case '"':
		value = "text"
	case '{':
		value = "an object"
	case '[':
		value = "a list"
	}
	return &json.UnmarshalTypeError{Value: value, Type: reflect.TypeFor[T]()}
}

// decimal returns the digits of a JSON string that is a decimal number without leading
// zeros.
func decimal(text []byte) (digits string, ok bool) {
	if len(text) < 3 || text[0] != '"' || text[len(text)-1] != '"' {
		return "", false
	}
	inner := text[1 : len(text)-1]
	for _, c := range inner {
		if c < '0' || c > '9' {
			return "", false
		}
	}
	return string(inner), inner[0] != '0' || len(inner) == 1
}
