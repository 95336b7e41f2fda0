package call

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Terms are what the user agrees to pay.
type Terms struct {
	// MaxPrice is the highest price; nil for any.
	MaxPrice *Price

	// MaxCost is the most that all payments of the call may come to, in every run of its
	// request; nil for no limit.
	MaxCost *wei.Wei
}

// Price is an amount of wei for one unit of what a type of payment counts.
type Price struct {
	// Wei is the amount; nil, in Terms, is any.
	Wei  *big.Rat
	Type live.Type
}

// ErrPrice is returned for text that is not a price.
var ErrPrice = errors.New("not a price; write it as '500 gwei/second', '5000 wei/720p-pixel-second' or '0.001 eth/call'")

// unitNames are the units of prices as people write them.
func unitNames() map[live.Type]string {
	return map[live.Type]string{live.Seconds: "second", live.PixelSeconds: "720p-pixel-second", live.Fixed: "call"}
}

// ParsePrice parses AMOUNT/UNIT. An amount in wei may have a fraction. It fails with ErrPrice.
func ParsePrice(text string) (Price, error) {
	amount, unit, _ := strings.Cut(text, "/")
	var p Price
	for kind, name := range unitNames() {
		if strings.TrimSpace(unit) == name {
			p.Type = kind
		}
	}
	if p.Type == "" {
		return Price{}, fmt.Errorf("%.80q is %w", text, ErrPrice)
	}
	const longest = 80
	if number, isWei := strings.CutSuffix(strings.TrimSpace(amount), "wei"); isWei {
		number = strings.TrimSpace(number)
		if value, ok := new(big.Rat).SetString(number); ok && len(number) <= longest && strings.Trim(number, "0123456789.") == "" {
			p.Wei = value
		}
	}
	if p.Wei == nil {
		parsed, err := wei.Parse(strings.TrimSpace(amount))
		if err != nil {
			return Price{}, fmt.Errorf("%.80q is %w (%w)", text, ErrPrice, err)
		}
		p.Wei = parsed.Rat()
	}
	if p.Wei.Sign() <= 0 {
		return Price{}, fmt.Errorf("%.80q is %w (it is 0, and must be more)", text, ErrPrice)
	}
	return p, nil
}

// String returns the price as ParsePrice reads it, rounded as amounts are.
func (p Price) String() string { return wei.Format(p.Wei) + "/" + unitNames()[p.Type] }

// tooDear is the ErrLimit of a price above the highest that is paid; raised reports whether this is the
// session's first price.
func tooDear(price, most Price, raised bool) error {
	limit := policy.Exceeded(price.Wei, most.Wei) + "/" + unitNames()[most.Type]
	if raised {
		return hint.With(hint.Kind(policy.ErrLimit, fmt.Errorf("the orchestrator raised the price to %v; the session started at %s", price, limit)),
			"pmctl pays a session only at its first price; start another session to accept the new price")
	}
	return hint.With(hint.Kind(policy.ErrLimit, fmt.Errorf("the orchestrator's price of %v is above --max-price, %s", price, limit)),
		"raise --max-price, or choose another orchestrator")
}

// ErrNoUnit is returned for an app that its orchestrator does not list with a unit.
var ErrNoUnit = hint.With(errors.New("the orchestrator does not list the app, so the unit of its price is unknown"),
	"compare the URL with pmctl runner list, or pass --max-price, which names the unit")

// typeFor returns how the app is paid, as the orchestrator lists it, or --max-price says. unlisted is
// why there is no list, which matters only then.
func (t Terms) typeFor(listed live.Type, unlisted error) (live.Type, error) {
	switch {
	case t.MaxPrice == nil && unlisted != nil:
		return "", hint.With(fmt.Errorf("the unit of the app's price is unknown: %w", unlisted), "try again, or pass --max-price, which names the unit")
	case t.MaxPrice == nil && listed == "":
		return "", ErrNoUnit
	case t.MaxPrice == nil:
		return listed, nil
	case listed != "" && listed != t.MaxPrice.Type:
		charged := unitNames()[listed]
		return "", hint.With(hint.Kind(policy.ErrLimit, fmt.Errorf("the orchestrator charges per %s, but --max-price is per %s", charged, unitNames()[t.MaxPrice.Type])),
			"pass --max-price 'AMOUNT/%s'", charged)
	}
	return t.MaxPrice.Type, nil
}

// bill returns what a payment comes to in a session, within the price.
func (t Terms) bill(r live.Request, before *live.Session) (*live.Bill, error) {
	if t.MaxPrice != nil {
		r.Ceilings = []live.Ceiling{{Price: t.MaxPrice.Wei, Source: live.Requested}}
	}
	bill, err := r.Bill(before)
	var price *live.PriceError
	if errors.As(err, &price) {
		return nil, tooDear(Price{price.Price, r.Type}, Price{price.Ceiling.Price, r.Type}, price.Ceiling.Source == live.InitialSession)
	}
	return bill, err
}

// allow fails with ErrLimit for a payment that would exceed MaxCost.
func (t Terms) allow(paid, next *big.Rat) error {
	if t.MaxCost == nil || new(big.Rat).Add(paid, next).Cmp(t.MaxCost.Rat()) <= 0 {
		return nil
	}
	err := fmt.Errorf("the next payment of %s would exceed --max-cost: %s of %v is already paid", wei.Format(next), wei.Format(paid), *t.MaxCost)
	if paid.Sign() == 0 {
		err = fmt.Errorf("the first payment of %s is above --max-cost, %s", wei.Format(next), policy.Exceeded(next, t.MaxCost.Rat()))
	}
	return hint.With(hint.Kind(policy.ErrLimit, err), "raise --max-cost; pmctl pays in whole tickets, so a payment can exceed the fee by up to one ticket")
}

// repeats fails as typeFor, bill and allow do for a payment that an earlier run recorded, whose terms
// may have been others.
func (t Terms) repeats(paid *big.Rat, p *Payment) error {
	if most := t.MaxPrice; most != nil {
		if _, err := t.typeFor(p.Type, nil); err != nil {
			return err
		}
		if price := (Price{p.price().Rat(), p.Type}); most.Wei != nil && price.Wei.Cmp(most.Wei) > 0 {
			return tooDear(price, *most, false)
		}
	}
	return t.allow(paid, p.Paid)
}
