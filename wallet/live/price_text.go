package live

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// priceUnits are the types of payments by the unit of a price.
func priceUnits() map[string]Type {
	return map[string]Type{"second": Seconds, "720p-pixel-second": PixelSeconds, "call": Fixed, "pixel": Pixels}
}

// PriceUnit is the unit, in the text of a price, of what a type counts.
func PriceUnit(counts string) string {
	for name, kind := range priceUnits() {
		if kind.Counts() == counts {
			return name
		}
	}
	return counts
}

// ParseMaxPrices reads prices of the form 'N wei/UNIT', one of each unit. It fails for any other text.
func ParseMaxPrices(texts []string) (MaxPrices, error) {
	prices := make(MaxPrices)
	for _, text := range texts {
		amount, unit, _ := strings.Cut(text, "/")
		number, isWei := strings.CutSuffix(strings.TrimSpace(amount), "wei")
		number = strings.TrimSpace(number)
		price, ok := new(big.Rat), strings.Trim(number, "0123456789.") == "" // an exponent could fill the memory
		if ok {
			_, ok = price.SetString(number)
		}
		kind, known := priceUnits()[strings.TrimSpace(unit)]
		if isWei && ok && known && price.Sign() == 0 {
			return nil, fmt.Errorf("%q is 0, and must be more", text)
		}
		if !isWei || !ok || !known {
			units := slices.Sorted(maps.Keys(priceUnits()))
			return nil, fmt.Errorf("%q is not of the form 'N wei/UNIT' with one of the units %s", text, strings.Join(units, ", "))
		}
		if prices[kind.Counts()] != nil {
			return nil, fmt.Errorf("%q is a second price of the same unit", text)
		}
		prices[kind.Counts()] = price
	}
	return prices, nil
}
