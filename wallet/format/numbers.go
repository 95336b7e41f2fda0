package format

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// Num is an integer of 0 to 2^63-1: a count, nonce, block, round or number of
// milliseconds, written as a number.
type Num int64

func (n *Num) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || v < 0 || strconv.FormatInt(v, 10) != string(text) {
		return numberError[Num](text)
	}
	*n = Num(v)
	return nil
}

// BigNum is a number as Num is, of at most 256 bits: recipients and contracts give some that many.
type BigNum struct{ Uint }

// NewBigNum returns v, which has at most 256 bits; nil counts as 0.
func NewBigNum(v *big.Int) BigNum { return BigNum{newUint(v)} }

// String is the number in decimal.
func (n BigNum) String() string { return n.v.Dec() }

func (n BigNum) MarshalJSON() ([]byte, error) { return []byte(n.v.Dec()), nil }

func (n *BigNum) UnmarshalJSON(text []byte) error {
	if n.UnmarshalText(text) != nil {
		return numberError[BigNum](text)
	}
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

// decimal returns the digits of a JSON string that is a decimal number without leading zeros. They are
// bounded, as it takes minutes to read millions of them: no sum of amounts has as many.
func decimal(text []byte) (digits string, ok bool) {
	const most = 100
	if len(text) < 3 || len(text) > most+2 || text[0] != '"' || text[len(text)-1] != '"' {
		return "", false
	}
	inner := text[1 : len(text)-1]
	return string(inner), strings.Trim(string(inner), "0123456789") == "" && (inner[0] != '0' || len(inner) == 1)
}
