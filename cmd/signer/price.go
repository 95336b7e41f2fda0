package signer

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet/live"
)

// priceUnits are the types of payments, by the unit of --max-price.
func priceUnits() map[string]live.Type {
	return map[string]live.Type{"second": live.Seconds, "720p-pixel-second": live.PixelSeconds, "call": live.Fixed, "pixel": live.Pixels}
}

// unitFlag is the name that --max-price has for a unit of the documents.
func unitFlag(unit string) string {
	for name, kind := range priceUnits() {
		if kind.Counts() == unit {
			return name
		}
	}
	return unit
}

// parsePrices reads the values of --max-price, 'N wei/UNIT'.
func parsePrices(texts []string) (live.MaxPrices, error) {
	prices := make(live.MaxPrices)
	for _, text := range texts {
		amount, unit, _ := strings.Cut(text, "/")
		number, isWei := strings.CutSuffix(strings.TrimSpace(amount), "wei")
		number = strings.TrimSpace(number)
		price, ok := new(big.Rat), strings.Trim(number, "0123456789.") == "" // an exponent could fill the memory
		if ok {
			_, ok = price.SetString(number)
		}
		kind, known := priceUnits()[strings.TrimSpace(unit)]
		if !isWei || !ok || !known || price.Sign() <= 0 {
			units := slices.Sorted(maps.Keys(priceUnits()))
			return nil, cli.Usagef("--max-price %q is not of the form 'N wei/UNIT' with one of the units %s", text, strings.Join(units, ", "))
		}
		prices[kind.Counts()] = price
	}
	return prices, nil
}
