package runners

import (
	"fmt"
	"net/http"
	"time"
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

// Unit is what an app's price is for.
type Unit string

// The units.
const (
	// Seconds are seconds of the session.
	Seconds Unit = "seconds"

	// PixelSeconds are the pixels of 30 frames a second at 1280×720.
	PixelSeconds Unit = "720p-pixel-seconds"

	// Fixed is the call or the session, whatever it takes.
	Fixed Unit = "fixed"
)

// perSecond is how many units a second has; 0 if time does not count.
func (u Unit) perSecond() int64 {
	switch u {
	case Seconds:
		return 1
	case PixelSeconds:
		return 1280 * 720 * 30
	}
	return 0
}

// Runner is an app that the recipient offers.
type Runner struct {
	// Name is its part of the URLs, App what it is called in lists.
	Name string `json:"name"`
	App  string `json:"app"`

	Mode Mode `json:"mode"`
	Unit Unit `json:"unit"`

	// Price is in wei a unit, at least 1. A session keeps the price that it began with.
	Price int64 `json:"price"`

	// Capacity is how many sessions or calls it has room for.
	Capacity int `json:"capacity"`

	// SpoilSessions offers the present Price to open sessions too, which honest recipients do
	// not do.
	SpoilSessions bool `json:"spoil_sessions"`

	// Fail is the HTTP status with which the app fails once it is paid; 0 is none.
	Fail int `json:"fail"`

	// Delay is how long the app takes before its first byte.
	Delay time.Duration `json:"-"`
}

// Default returns the runners of a local network: one of each unit.
func Default() []Runner {
	return []Runner{
		{Name: "live1", App: "echo/live", Mode: Persistent, Unit: Seconds, Price: 486111111111, Capacity: 4},
		{Name: "fixed1", App: "echo/fixed", Mode: SingleShot, Unit: Fixed, Price: 500000000000, Capacity: 4},
		{Name: "lv1", App: "echo/lv2v", Mode: Persistent, Unit: PixelSeconds, Price: 5023, Capacity: 4},
	}
}

// Check fails for settings that no runner can have.
func (r *Runner) Check() error {
	switch {
	case r.Name == "" || r.App == "":
		return fmt.Errorf("a runner needs a name and an app")
	case r.Mode != Persistent && r.Mode != SingleShot:
		return fmt.Errorf("runner %s: mode %q, use %s or %s", r.Name, r.Mode, Persistent, SingleShot)
	case r.Unit.perSecond() == 0 && r.Unit != Fixed:
		return fmt.Errorf("runner %s: unit %q, use %s, %s or %s", r.Name, r.Unit, Seconds, PixelSeconds, Fixed)
	case r.Price < 1:
		return fmt.Errorf("runner %s: a price of %d wei, at least 1", r.Name, r.Price)
	case r.Capacity < 0 || r.Delay < 0:
		return fmt.Errorf("runner %s: capacity and delay must be at least 0", r.Name)
	case r.Fail != 0 && (r.Fail < http.StatusBadRequest || r.Fail > 599):
		return fmt.Errorf("runner %s: HTTP status %d is not a failure", r.Name, r.Fail)
	}
	return nil
}

// listing is a runner as /discovery lists it.
type listing struct {
	URL               string `json:"url"`
	App               string `json:"app"`
	Mode              Mode   `json:"mode"`
	Capacity          int    `json:"capacity"`
	CapacityUsed      int    `json:"capacity_used"`
	CapacityAvailable int    `json:"capacity_available"`
	Price             struct {
		Amount   int64  `json:"price"`
		Currency string `json:"currency"`
		Unit     Unit   `json:"unit"`
	} `json:"price_info"`
}

// listed returns the runner as it is listed below a base URL, with used sessions.
func (r *Runner) listed(base string, used int) listing {
	path := "/session"
	if r.Mode == SingleShot {
		path = "/app"
	}
	l := listing{
		URL: base + "/apps/" + r.Name + path, App: r.App, Mode: r.Mode,
		Capacity: r.Capacity, CapacityUsed: used, CapacityAvailable: max(0, r.Capacity-used),
	}
	l.Price.Amount, l.Price.Currency, l.Price.Unit = r.Price, "wei", r.Unit
	return l
}
