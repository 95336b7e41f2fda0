package check

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

func TestPace(t *testing.T) {
	app := func(perSecond int64) []rate { return []rate{{"echo/live", big.NewRat(perSecond, 1)}} }
	const live = 486_111_111_111
	for name, c := range map[string]struct {
		ev    string
		rates []rate
		state State
		found string
	}{
		"a ticket in 20 s":   {"10000gwei", app(live), OK, "a ticket every 20.6 s (echo/live)"},
		"a range":            {"1000gwei", append(app(live), rate{"slow", big.NewRat(50_000_000_000, 1)}, rate{"medium", big.NewRat(100_000_000_000, 1)}), OK, "a ticket every 2.1 s (echo/live) to 20 s (slow)"},
		"too small":          {"8gwei", app(live), Warning, "EV 8 gwei at 486.111111111 gwei a second (echo/live): 304 tickets for a payment of 5 s, which has at most 100; the 600 tickets of one set of params are worth 4800 gwei and last 9.9 s"},
		"100 tickets":        {"25gwei", app(500_000_000_000), OK, "a ticket every 0.1 s (echo/live)"},
		"101 tickets":        {"25gwei", app(500_000_000_001), Warning, "EV 25 gwei at 500.000000001 gwei a second (echo/live): 101 tickets for a payment of 5 s, which has at most 100; the 600 tickets of one set of params are worth 15000 gwei and last 30 s"},
		"a minute":           {"60gwei", app(1e9), OK, "a ticket every 1 min (echo/live)"},
		"over a minute":      {"60000000001wei", app(1e9), Warning, "EV 60.000000001 gwei at 1 gwei a second (echo/live): one ticket pays for 1 min"},
		"20 minutes":         {"10000gwei", app(8e9), Warning, "EV 10000 gwei at 8 gwei a second (echo/live): one ticket pays for 20.8 min"},
		"years":              {"10000gwei", app(1), Warning, "EV 10000 gwei at 1 wei a second (echo/live): one ticket pays for over a year"},
		"the cheaper of two": {"10000gwei", append(app(live), rate{"slow", big.NewRat(8e9, 1)}), Warning, "EV 10000 gwei at 8 gwei a second (slow): one ticket pays for 20.8 min"},
		"the dearer of two":  {"8gwei", append(app(1e9), rate{"fast", big.NewRat(1e12, 1)}), Warning, "EV 8 gwei at 1000 gwei a second (fast): 625 tickets for a payment of 5 s, which has at most 100; the 600 tickets of one set of params are worth 4800 gwei and last 4.8 s"},
	} {
		ev, err := wei.Parse(c.ev)
		require.NoError(t, err)
		f := paceOf(ev.Rat(), c.rates)
		require.Equal(t, c.state, f.State, name)
		require.Equal(t, c.found, f.Found, name)
		require.Equal(t, c.state == OK, f.Fix == "", name)
	}
	f := paceOf(big.NewRat(8e9, 1), app(live))
	require.Equal(t, "at most 100 tickets for a payment every 5 s, and at most 1 min for a ticket: an EV of 24.305555556 gwei to 29166.66666666 gwei", f.Allowed)
	require.Equal(t, "the recipient's: -ticketEV", f.Knob)
	require.Equal(t, "ask the recipient for -ticketEV 1215277777778 (in wei), or choose another: pmctl recipient list", f.Fix)

	// The advice is taken, whatever else the recipient runs, if any EV suits it.
	for _, other := range []int64{live, 1, live / 1200, live/1200 + 1, live / 180, 25 * live, 180 * live, 1200 * live, 1201 * live} {
		rates := append(app(live), app(other)...)
		for _, ev := range []int64{1, 1e15} {
			var advised int64
			f := paceOf(big.NewRat(ev, 1), rates)
			_, err := fmt.Sscanf(f.Fix, "ask the recipient for -ticketEV %d ", &advised)
			require.NoError(t, err, f.Fix)
			taken := paceOf(big.NewRat(advised, 1), rates)
			require.Equal(t, strings.Contains(f.Allowed, "an EV of"), taken.State == OK, "%d: %s, then %s", other, f.Found, taken.Found)
			require.Equal(t, max(live, other) <= 1200*min(live, other), taken.State == OK)
		}
	}
}

// TestThePriceOfAPixel is written as it is in the params.
func TestThePriceOfAPixel(t *testing.T) {
	for text, price := range map[string]*big.Rat{
		"1200 wei per pixel": big.NewRat(1200, 1), "4500.5 wei per pixel": big.NewRat(9001, 2), "~0.333333333 wei per pixel": big.NewRat(1, 3), "0 wei per pixel": nil,
	} {
		of := terms{&recipient{offer: &pay.Offer{Params: &pm.TicketParams{PricePerPixel: price}}}}
		require.Equal(t, text, of.price(t.Context()).Found)
	}
}

func TestInTime(t *testing.T) {
	for d, text := range map[time.Duration]string{
		time.Nanosecond: "less than 0.1 s", 50 * time.Millisecond: "0.1 s", 100 * time.Millisecond: "0.1 s", 5 * time.Second: "5 s", 90 * time.Second: "1.5 min", 10 * time.Hour: "10 h", 72 * time.Hour: "3 days",
	} {
		require.Equal(t, text, inTime(d))
	}
}
