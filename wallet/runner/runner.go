// Package runner finds live runners: apps that orchestrators offer for a price, which is paid
// while they work.
package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/pmctl/pmctl/wallet/live"
)

// Mode is how an app is called.
type Mode string

// The modes.
const (
	// Persistent apps are called in a session, which is paid until it is stopped.
	Persistent Mode = "persistent"

	// SingleShot apps are paid with each call.
	SingleShot Mode = "single-shot"
)

// Runner is an app as an orchestrator offers it. Its JSON is the network's.
type Runner struct {
	// URL is where it is called.
	URL string `json:"url"`

	// GPU, Version and Metadata are for people.
	GPU json.RawMessage `json:"gpu,omitempty"`

	App     string `json:"app"`
	Version string `json:"version,omitempty"`

	Metadata json.RawMessage `json:"metadata,omitempty"`

	Mode Mode `json:"mode"`

	// Capacity is how many calls or sessions it has room for, and how many of them are taken
	// and free.
	Capacity          int `json:"capacity"`
	CapacityUsed      int `json:"capacity_used"`
	CapacityAvailable int `json:"capacity_available"`

	Price Price `json:"price_info"`
}

// Price is what an app costs.
type Price struct {
	// Amount is in Currency, which is wei, for one Unit.
	Amount   json.Number `json:"price"`
	Currency string      `json:"currency"`
	Unit     string      `json:"unit"`
}

// ErrPrice is returned for a price that cannot be paid.
var ErrPrice = errors.New("the price cannot be paid")

// Rat returns the price in wei a unit, and the type of payments for the unit. It fails with
// ErrPrice.
func (p Price) Rat() (*big.Rat, live.Type, error) {
	const longest, largestExponent = 100, 99
	kind, known := live.TypeOf(p.Unit)
	text := string(p.Amount)
	if len(text) > longest {
		text = "" // a fraction of many digits takes long to reduce
	}
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		if exponent, err := strconv.Atoi(text[at+1:]); err != nil || exponent > largestExponent || exponent < -largestExponent {
			text = ""
		}
	}
	amount, ok := new(big.Rat).SetString(text)
	switch {
	case p.Currency != "wei":
		return nil, "", fmt.Errorf("%w: its currency is %q, not wei", ErrPrice, p.Currency)
	case !known:
		return nil, "", fmt.Errorf("%w: its unit is %q", ErrPrice, p.Unit)
	case !ok || amount.Sign() <= 0:
		return nil, "", fmt.Errorf("%w: it is not a positive number", ErrPrice)
	}
	return amount, kind, nil
}

// PerHour is what an hour costs, in wei, and false for apps that are paid by the call.
func (p Price) PerHour() (*big.Rat, bool) {
	price, kind, err := p.Rat()
	if err != nil {
		return nil, false
	}
	units, counts := kind.Units(time.Hour)
	if !counts {
		return nil, false
	}
	return price.Mul(price, new(big.Rat).SetInt64(units)), true
}

// check fails for what no client could use.
func (r *Runner) check() error {
	switch {
	case r.URL == "" || r.App == "":
		return errors.New("it has no url or no app")
	case r.Mode != Persistent && r.Mode != SingleShot:
		return fmt.Errorf("its mode is %q", r.Mode)
	}
	_, _, err := r.Price.Rat()
	return err
}
