package check

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/wei"
)

const (
	// payEvery is the time between two payments for work that is paid by the second.
	payEvery = 5 * time.Second
	// slowTicket is the time after which a ticket is too large: what was paid for is known, but not
	// to the minute.
	slowTicket = time.Minute
)

// rate is what an app costs in wei a second.
type rate struct {
	app       string
	perSecond *big.Rat
}

// pace compares the EV of a ticket with the recipient's prices. The EV is the recipient's setting,
// so it only warns.
func (t terms) pace(context.Context) Finding {
	ev, rates := t.offer.Params.EV(), t.rates()
	if ev.Sign() == 0 || len(rates) == 0 {
		return Fine("no price by time, or no EV, to compare")
	}
	return paceOf(ev, rates)
}

// rates are those of the recipient's live runners; without any, that of transcoding.
func (t terms) rates() (rates []rate) {
	for _, r := range t.runners {
		if perHour, byTime := r.Price.PerHour(); byTime {
			rates = append(rates, rate{r.App, perHour.Quo(perHour, big.NewRat(int64(time.Hour/time.Second), 1))})
		}
	}
	if price := t.offer.Params.PricePerPixel; len(rates) == 0 && price != nil && price.Sign() > 0 {
		pixels, _ := live.PixelSeconds.Units(time.Second)
		rates = append(rates, rate{"720p at 30 frames a second", new(big.Rat).Mul(price, new(big.Rat).SetInt64(pixels))})
	}
	return rates
}

// paceOf judges an EV by the lowest and the highest rate.
func paceOf(ev *big.Rat, rates []rate) Finding {
	byCost := func(a, b rate) int { return a.perSecond.Cmp(b.perSecond) }
	low, high := slices.MinFunc(rates, byCost), slices.MaxFunc(rates, byCost)
	if tickets := num.Ceil(new(big.Rat).Quo(high.fee(), ev)); tickets.Cmp(big.NewInt(live.MaxTickets)) > 0 {
		capacity := uint64(pm.DefaultLimits().NonceCap)
		worth := new(big.Rat).Mul(ev, new(big.Rat).SetUint64(capacity))
		return advise(fmt.Sprintf("%s: %v tickets for a payment of %s, which has at most %d; the %d tickets of one set of params are worth %s and last %s",
			high.at(ev), tickets, inTime(payEvery), live.MaxTickets, capacity, wei.Format(worth), high.lasts(worth)), high, low, high)
	}
	if ev.Cmp(low.times(slowTicket)) > 0 {
		return advise(fmt.Sprintf("%s: one ticket pays for %s", low.at(ev), low.lasts(ev)), low, low, high)
	}
	if low.perSecond.Cmp(high.perSecond) == 0 {
		return Fine("a ticket every %s (%s)", low.lasts(ev), low.app)
	}
	return Fine("a ticket every %s (%s) to %s (%s)", high.lasts(ev), high.app, low.lasts(ev), low.app)
}

// times is what a time costs.
func (r rate) times(d time.Duration) *big.Rat {
	return new(big.Rat).Mul(r.perSecond, big.NewRat(int64(d), int64(time.Second)))
}

// fee is what a payment pays for.
func (r rate) fee() *big.Rat { return r.times(payEvery) }

// part is the EV of which a payment has so many tickets.
func (r rate) part(tickets int64) *big.Int {
	return num.Ceil(new(big.Rat).Quo(r.fee(), big.NewRat(tickets, 1)))
}

func (r rate) at(ev *big.Rat) string {
	return fmt.Sprintf("EV %s at %s a second (%s)", wei.Format(ev), wei.Format(r.perSecond), r.app)
}

// lasts is the time that an amount pays for.
func (r rate) lasts(amount *big.Rat) string {
	const longest = 365 * 24 * time.Hour
	if amount.Cmp(r.times(longest)) > 0 {
		return "over a year"
	}
	seconds, _ := new(big.Rat).Quo(amount, r.perSecond).Float64()
	return inTime(time.Duration(seconds * float64(time.Second)))
}

// advise warns of an EV, and names one that gives a payment at a rate two tickets, or the nearest that
// suits the lowest and the highest rate, if any does.
func advise(found string, of, low, high rate) Finding {
	slow := low.times(slowTicket)
	least, most, better := high.part(live.MaxTickets), new(big.Int).Quo(slow.Num(), slow.Denom()), of.part(2)
	allowed := fmt.Sprintf("at most %d tickets for a payment every %s, and at most %s for a ticket", live.MaxTickets, inTime(payEvery), inTime(slowTicket))
	if least.Cmp(most) <= 0 {
		allowed += fmt.Sprintf(": an EV of %s to %s", amount(least), amount(most))
		better = num.Max(least, num.Min(better, most))
	}
	return Warn(found, allowed, OwnerRecipient+"-ticketEV", fmt.Sprintf("ask the recipient for -ticketEV %v (in wei), or choose another: pmctl recipient list", better))
}

// inTime is a time with its unit, to about a hundredth.
func inTime(d time.Duration) string {
	if d < 50*time.Millisecond {
		return "less than 0.1 s"
	}
	if d < time.Minute {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	}
	if d < time.Hour {
		return fmt.Sprintf("%.3g min", d.Minutes())
	}
	if d < 24*time.Hour {
		return fmt.Sprintf("%.3g h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
