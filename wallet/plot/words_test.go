package plot

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
)

func TestPercent(t *testing.T) {
	for p, text := range map[float64]string{
		0: "below 0.000001 %", 1e-9: "below 0.000001 %", 2.04e-7: "0.00002 %", 2.46e-7: "0.000025 %", 0.0000532: "0.0053 %",
		0.00345: "0.345 %", 0.0511: "5.11 %", 0.99: "99 %", 0.999: "99.9 %", 0.9995: "99.95 %", 0.99996: "99.996 %",
		0.99999: "99.999 %", 0.999996: "above 99.999 %", math.Nextafter(1, 0): "above 99.999 %", 1: "100 %",
	} {
		require.Equal(t, text, Percent(p))
	}
}

// TestOutlook: what tickets may cost that are not drawn yet is not in about now.
func TestOutlook(t *testing.T) {
	w := seen(30)
	for text, f := range map[string]*wallet.Forecast{
		"now: the deposit does not pay one more win in full":                 foretold(w, 0, 0, 0),
		"at any moment: the outstanding tickets probably use the deposit up": foretold(w, 0, 0, 2),
		"in about 1 day, on 2026-11-25 12:00 UTC":                            foretold(w, 0, 1, 2),
		"not within ten years":                                               foretold(w, 3000, 9000, 36500),
	} {
		w.Forecast = f
		require.Equal(t, text, Outlook(w))
	}
}

// TestDaysInFull: only a forecast says nothing of what is years ahead.
func TestDaysInFull(t *testing.T) {
	for days, text := range map[float64]string{5000: "5000 days", 10: "10 days", 1: "1 day", 1.04: "1 day", 0.5: "12 hours", 1.0 / 1440: "1 minute", 20.0 / 86400: "20 seconds"} {
		require.Equal(t, text, Days(days))
	}
	require.Equal(t, "over ten years", Ahead(5000))
	require.Equal(t, "30 days", Ahead(30))
}

func TestAboutIsNeverNothing(t *testing.T) {
	for text, amount := range map[string]*big.Rat{
		"0 wei": new(big.Rat), "less than 1 wei": big.NewRat(1, 3), "1 wei": big.NewRat(1, 1), "~2 wei": big.NewRat(3, 2), "99999 wei": big.NewRat(99999, 1), "~0.00012345 ETH": big.NewRat(123456789012345, 1), "0.00012345 ETH": big.NewRat(123450000000000, 1), "~0.5 ETH": big.NewRat(5e17+1, 1),
	} {
		require.Equal(t, text, About(amount))
	}
	require.Equal(t, "0 wei", About(nil))
}

func TestPeriodIsExact(t *testing.T) {
	for seconds, text := range map[int64]string{
		1: "1 second", 200: "200 seconds", 60: "1 minute", 5400: "90 minutes", 12 * 3600: "12 hours", 250 * 3600: "250 hours", 86400: "1 day", 36 * 3600: "36 hours", 5000 * 86400: "5000 days",
	} {
		require.Equal(t, text, Period(seconds))
	}
}
