package format

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/holiman/uint256"

	"github.com/pmctl/pmctl/wallet/wei"
)

// Address is an address: 0x and 40 hex digits, written with its EIP-55 checksum. It may be read in
// a single case; mixed case must be the checksum.
type Address common.Address

func (a Address) MarshalText() ([]byte, error) { return []byte(common.Address(a).Hex()), nil }

func (a *Address) UnmarshalText(text []byte) error {
	address, err := ParseAddress(string(text))
	if err != nil {
		return valueError[Address](string(text))
	}
	*a = Address(address)
	return nil
}

// Uint is an unsigned integer of at most 256 bits: a decimal string without leading zeros.
type Uint struct{ v uint256.Int }

// newUint returns v, which was checked to fit; nil is 0.
func newUint(v *big.Int) (u Uint) {
	if v != nil {
		u.v.SetFromBig(v)
	}
	return u
}

// Big returns the number as a new integer.
func (u Uint) Big() *big.Int { return u.v.ToBig() }

func (u Uint) MarshalText() ([]byte, error) { return []byte(u.v.Dec()), nil }

func (u *Uint) UnmarshalText(text []byte) error {
	var v uint256.Int
	if err := v.SetFromDecimal(string(text)); err != nil || v.Dec() != string(text) {
		return valueError[Uint](string(text))
	}
	u.v = v
	return nil
}

// Int is a signed integer of 64 bits: a decimal string without leading zeros.
type Int int64

func (i Int) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(i), 10), nil }

func (i *Int) UnmarshalText(text []byte) error {
	v, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || strconv.FormatInt(v, 10) != string(text) {
		return valueError[Int](string(text))
	}
	*i = Int(v)
	return nil
}

// Nat is an integer of 0 to 2^63-1: a decimal string without leading zeros.
type Nat int64

func (n Nat) MarshalText() ([]byte, error) { return Int(n).MarshalText() }

func (n *Nat) UnmarshalText(text []byte) error {
	var i Int
	if i.UnmarshalText(text) != nil || i < 0 {
		return valueError[Nat](string(text))
	}
	*n = Nat(i)
	return nil
}

// Amount is an amount: a decimal string of wei without leading zeros.
type Amount struct{ wei.Wei }

func (a *Amount) UnmarshalText(text []byte) error {
	if a.Wei.UnmarshalText(text) != nil {
		return valueError[Amount](string(text))
	}
	return nil
}

// Bytes are opaque bytes: padded base64.
type Bytes []byte

func (b Bytes) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, b), nil }

// UnmarshalText reads bytes; an empty text gives an empty slice, not nil. It returns
// *json.UnmarshalTypeError, to which the decoder adds the field. The error does not repeat the
// text, which may be most of an auth token.
func (b *Bytes) UnmarshalText(text []byte) error {
	v, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || base64.StdEncoding.EncodedLen(len(v)) != len(text) {
		return &json.UnmarshalTypeError{Value: fmt.Sprintf("%d characters that are something else", len(text)), Type: reflect.TypeFor[Bytes]()}
	}
	*b = v
	return nil
}

// Hash is a hash: 0x and 64 hex digits.
type Hash common.Hash

func (h Hash) MarshalText() ([]byte, error) { return hexutil.Bytes(h[:]).MarshalText() }

func (h *Hash) UnmarshalText(text []byte) error {
	if hexutil.UnmarshalFixedText("Hash", text, h[:]) != nil {
		return valueError[Hash](string(text))
	}
	return nil
}

// Sig is a signature R‖S‖V: 0x and 130 hex digits.
type Sig [65]byte

func (s Sig) MarshalText() ([]byte, error) { return hexutil.Bytes(s[:]).MarshalText() }

func (s *Sig) UnmarshalText(text []byte) error {
	if hexutil.UnmarshalFixedText("Sig", text, s[:]) != nil {
		return valueError[Sig](string(text))
	}
	return nil
}

// valueError returns an error about text that is not a T. It has the decoder's own type, as those of
// all values of this package have, since the decoder adds the field's path only to that.
func valueError[T any](text string) error {
	return &json.UnmarshalTypeError{Value: quote(text), Type: reflect.TypeFor[T]()}
}

// quote quotes text for an error message, shortened if long.
func quote(text string) string {
	const most = 80
	if len(text) > most {
		return strconv.Quote(text[:most]) + "…"
	}
	return strconv.Quote(text)
}

// wanted describes the valid values of a type.
func wanted(t reflect.Type) string {
	words := map[reflect.Type]string{
		reflect.TypeFor[Address]():  "an address: 0x, 40 hex digits, in mixed case with the right checksum",
		reflect.TypeFor[Uint]():     "a decimal number in quotes, of at most 256 bits, without leading zeros",
		reflect.TypeFor[Int]():      "a decimal number in quotes, of at most 63 bits, without leading zeros",
		reflect.TypeFor[Nat]():      "a decimal number in quotes, 0 or more and of at most 63 bits, without leading zeros",
		reflect.TypeFor[Num]():      "a whole number, 0 or more, without quotes",
		reflect.TypeFor[BigNum]():   "a whole number, 0 or more, without quotes",
		reflect.TypeFor[Fraction](): "a fraction n/d in quotes, in lowest terms",
		reflect.TypeFor[Ceil]():     "an amount in wei: a decimal number in quotes, without leading zeros",
		reflect.TypeFor[Amount]():   "an amount in wei: a decimal number in quotes, of at most 256 bits, without leading zeros",
		reflect.TypeFor[Hash]():     "a hash in quotes: 0x and 64 hex digits",
		reflect.TypeFor[Sig]():      "a signature in quotes: 0x and 130 hex digits",
		reflect.TypeFor[Bytes]():    "bytes in quotes, in base64",
	}[t]
	if words != "" {
		return words
	}
	switch t.Kind() {
	case reflect.Uint32:
		return "a whole number of at most 32 bits"
	case reflect.Int:
		return "a whole number"
	case reflect.String:
		return "text in quotes"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "an object"
	}
	return t.Kind().String()
}
