package policy

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Value is a setting's value: an Amount, a Count, an Age or Addresses.
type Value interface {
	// String returns the value for people, Decimal for machines.
	String() string
	Decimal() string

	// compare orders values of one setting.
	compare(Value) int
}

// Amount is a value in wei; the zero Amount is 0.
type Amount struct{ rat *big.Rat }

func AmountOf(w wei.Wei) Amount { return Amount{w.Rat()} }

func (a Amount) exact() *big.Rat { return num.OrZero(a.rat) }
func (a Amount) String() string  { return wei.Format(a.exact()) }

// Decimal returns the amount in wei.
func (a Amount) Decimal() string { return a.exact().RatString() }

func (a Amount) compare(b Value) int { return a.exact().Cmp(b.(Amount).exact()) }

// wei returns the amount, which was parsed as a whole number.
func (a Amount) wei() wei.Wei {
	w, _ := wei.FromBig(a.exact().Num())
	return w
}

// Count is a whole number.
type Count uint64

func (c Count) String() string      { return strconv.FormatUint(uint64(c), 10) }
func (c Count) Decimal() string     { return c.String() }
func (c Count) compare(b Value) int { return cmp.Compare(c, b.(Count)) }

// Age is a maximum age.
type Age time.Duration

func (a Age) String() string { return duration.Text(time.Duration(a)) }

// Decimal returns the duration in Go's notation.
func (a Age) Decimal() string { return time.Duration(a).String() }

func (a Age) compare(b Value) int { return cmp.Compare(a, b.(Age)) }

// Addresses are recipients.
type Addresses []common.Address

// Strings returns the addresses with their checksums.
func (a Addresses) Strings() []string {
	texts := make([]string, len(a))
	for i, address := range a {
		texts[i] = address.Hex()
	}
	return texts
}

func (a Addresses) String() string  { return strings.Join(a.Strings(), ", ") }
func (a Addresses) Decimal() string { return a.String() }

// compare returns 1 if one of a is not in b, else 0.
func (a Addresses) compare(b Value) int {
	if slices.ContainsFunc(a, func(one common.Address) bool { return !slices.Contains(b.(Addresses), one) }) {
		return 1
	}
	return 0
}
