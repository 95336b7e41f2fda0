package store

import (
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

func fromMillis(at int64) time.Time { return time.UnixMilli(at).UTC() }

// millis scans a column of milliseconds since 1970. NULL is the zero time.
type millis time.Time

// Scan implements sql.Scanner.
func (m *millis) Scan(value any) error {
	var at sql.NullInt64
	if err := at.Scan(value); err != nil {
		return err
	}
	*m = millis{}
	if at.Valid {
		*m = millis(fromMillis(at.Int64))
	}
	return nil
}

func startOfDay(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

// decimal formats a number; nil counts as 0.
func decimal(v *big.Int) string {
	if v == nil {
		return "0"
	}
	return v.String()
}

func column[T any](name string, into *T, parse func(string) (T, error), text string) error {
	v, err := parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	*into = v
	return nil
}

func parseAddress(text string) (common.Address, error) {
	if !common.IsHexAddress(text) {
		return common.Address{}, errors.New("not an address")
	}
	return common.HexToAddress(text), nil
}

func parseHash(text string) (common.Hash, error) {
	hash, err := hexutil.Decode(text)
	if err != nil || len(hash) != common.HashLength {
		return common.Hash{}, errors.New("not a hash")
	}
	return common.Hash(hash), nil
}

// uintBits is the width of a ticket's integers.
const uintBits = 256

// parseUint reads a ticket's integer as decimal wrote it.
func parseUint(text string) (*big.Int, error) {
	if v, err := parseNatural(text); err == nil && v.BitLen() <= uintBits {
		return v, nil
	}
	return nil, errors.New("not a decimal number of 256 bits")
}

// parseNatural reads decimal digits. Sums are wider than the fields of a ticket.
func parseNatural(text string) (*big.Int, error) {
	const maxDigits = 400
	if text == "" || len(text) > maxDigits || strings.Trim(text, "0123456789") != "" {
		return nil, errors.New("not a number")
	}
	v, _ := new(big.Int).SetString(text, 10)
	return v, nil
}

// parseFraction reads a fraction as RatString wrote it.
func parseFraction(text string, parse func(string) (*big.Int, error)) (*big.Rat, error) {
	a, b, isFraction := strings.Cut(text, "/")
	if !isFraction {
		b = "1"
	}
	num, err := parse(a)
	if err != nil {
		return nil, err
	}
	denom, err := parse(b)
	if err == nil && denom.Sign() == 0 {
		err = errors.New("a fraction with denominator 0")
	}
	if err != nil {
		return nil, err
	}
	return new(big.Rat).SetFrac(num, denom), nil
}
