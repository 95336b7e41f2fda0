package live

import (
	"encoding/json"
	"math/big"
	"net/http"
	"strconv"
	"strings"

	"github.com/pmctl/pmctl/internal/num"
)

// Price is what units cost: PerUnit wei for Pixels of them. Only the quotient counts, but a
// session keeps both terms as the orchestrator sent them.
type Price struct{ PerUnit, Pixels int64 }

// IsPositive reports whether the price can be paid.
func (p Price) IsPositive() bool { return p.PerUnit > 0 && p.Pixels > 0 }

// Rat is the price in wei a unit. The price must be positive.
func (p Price) Rat() *big.Rat { return big.NewRat(p.PerUnit, p.Pixels) }

// Source says whose ceiling it is, in the protocol's words.
type Source string

// The sources of ceilings.
const (
	Configured     Source = "configured maximum price"
	Requested      Source = "request maxPrice"
	InitialSession Source = "initial session price"
	Webhook        Source = "auth webhook maxPrice"
	ClientMaximum  Source = "client maximum price"
)

// Ceiling is the most that a unit may cost.
type Ceiling struct {
	// Price is in wei; nil is no bound.
	Price  *big.Rat
	Source Source
}

// CheckPrice fails with *PriceError when price, in wei a unit, is above the lowest ceiling.
// The first of several equal ones is named.
func CheckPrice(price *big.Rat, ceilings ...Ceiling) error {
	var lowest *Ceiling
	for i, c := range ceilings {
		if c.Price != nil && (lowest == nil || c.Price.Cmp(lowest.Price) < 0) {
			lowest = &ceilings[i]
		}
	}
	if lowest == nil || num.OrZero(price).Cmp(lowest.Price) <= 0 {
		return nil
	}
	return &PriceError{price, *lowest}
}

// MaxPrices are the highest prices, in wei a unit, by what a type counts; none is no bound. Where
// one is set, a type without is refused, or another unit would get around it.
type MaxPrices map[string]*big.Rat

// Ceilings are those for a type of payment. It fails with ErrType, and with another
// Refusal for one that has no highest price where others have.
func (m MaxPrices) Ceilings(t Type, source Source) ([]Ceiling, error) {
	price := m[t.Counts()]
	switch {
	case t != Pixels && t.Unit() == "":
		return nil, ErrType
	case price != nil:
		return []Ceiling{{price, source}}, nil
	case len(m) > 0:
		return nil, Refuse(http.StatusForbidden, "no %s is set for %s, and others are", source, t.Counts())
	}
	return nil, nil
}

// MaxPrice is a ceiling as a request or an auth webhook states it.
type MaxPrice struct {
	// Price is a JSON number, or a string with a number in it.
	Price json.RawMessage `json:"price"`

	Currency string `json:"currency"`
	Unit     string `json:"unit"`
}

// Ceiling reads the ceiling for a payment of a type. It fails with ErrMaxPrice,
// ErrMaxCurrency or ErrMaxPriceType, and with another Refusal for another unit.
func (m MaxPrice) Ceiling(t Type, source Source) (c Ceiling, err error) {
	text := string(m.Price)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(m.Price, &text); err != nil {
			return c, ErrMaxPrice
		}
	}
	price, ok := parseDecimal(strings.TrimSpace(text))
	switch {
	case !ok || price.Sign() <= 0:
		return c, ErrMaxPrice
	case !isWord(m.Currency, "wei"):
		return c, ErrMaxCurrency
	case t.Unit() == "":
		return c, ErrMaxPriceType
	case !isWord(m.Unit, t.Unit()):
		return c, Refuse(http.StatusBadRequest, "maxPrice.unit must be %s for payment type %s", t.Unit(), t)
	}
	return Ceiling{price, source}, nil
}

func isWord(text, word string) bool { return strings.EqualFold(strings.TrimSpace(text), word) }

// parseDecimal reads digits with a point and an exponent. Both are bounded: a few characters
// must not stand for a number that fills the memory.
func parseDecimal(text string) (*big.Rat, bool) {
	const maxLength, maxExponent = 100, 99
	if len(text) > maxLength || strings.Trim(text, "0123456789.eE+-") != "" {
		return nil, false
	}
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		exponent, err := strconv.Atoi(text[at+1:])
		if err != nil || exponent < -maxExponent || exponent > maxExponent {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}
