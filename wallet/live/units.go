package live

import (
	"cmp"
	"math/big"
	"time"
)

// Type is how the units of a payment are counted.
type Type string

// The types of the protocol.
const (
	// Pixels counts what the request says.
	Pixels Type = ""

	// Seconds counts the seconds that began since the last payment.
	Seconds Type = "live"

	// PixelSeconds counts the pixels of 30 frames a second at 1280×720.
	PixelSeconds Type = "lv2v"

	// Fixed counts each payment as one unit.
	Fixed Type = "fixed"
)

// What the first payment of a session pays for.
const (
	firstLive = 10 * time.Second
	firstLV2V = time.Minute
)

// pixelsPerSecond is what PixelSeconds counts in a second.
const pixelsPerSecond = 1280 * 720 * 30

// TypeOf returns the type for a price's unit, as discovery names it. It is false for another
// unit.
func TypeOf(unit string) (Type, bool) {
	for _, t := range []Type{Seconds, PixelSeconds, Fixed} {
		if t.Unit() == unit {
			return t, true
		}
	}
	return "", false
}

// Unit is the name of what the type counts, "" for Pixels and for an unknown type.
func (t Type) Unit() string {
	switch t {
	case Seconds:
		return "seconds"
	case PixelSeconds:
		return "720p-pixel-seconds"
	case Fixed:
		return "fixed"
	}
	return ""
}

// Counts is what the type counts: its unit, or "pixels".
func (t Type) Counts() string { return cmp.Or(t.Unit(), "pixels") }

// bill returns what a request pays for: the time, where the type counts time, and the units.
// A session that was never paid has the zero time as its last update.
//
// Where nothing is due yet it fails with ErrNoTickets. That includes a clock that is behind
// the last update: it may be another machine's, or was set back.
func (t Type) bill(last, now time.Time, inPixels int64) (billed time.Duration, units int64, err error) {
	var first time.Duration
	switch t {
	case Fixed:
		return 0, 1, nil
	case Pixels:
		if inPixels <= 0 {
			return 0, 0, ErrNoUnits
		}
		return 0, inPixels, nil
	case Seconds:
		first = firstLive
	case PixelSeconds:
		first = firstLV2V
	default:
		return 0, 0, ErrType
	}
	if billed = first; !last.IsZero() {
		billed = now.Sub(last)
	}
	if units, _ = t.Units(billed); units <= 0 {
		return 0, 0, ErrNoTickets
	}
	return billed, units, nil
}

// Units is how many units a time has, and false for types that count no time.
func (t Type) Units(d time.Duration) (int64, bool) {
	switch t {
	case Seconds:
		return ceilSeconds(d), true
	case PixelSeconds:
		return pixelsIn(d), true
	}
	return 0, false
}

func ceilSeconds(d time.Duration) int64 {
	seconds := int64(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	return seconds
}

// pixelsIn rounds down. The product of nanoseconds and pixels can exceed 63 bits.
func pixelsIn(d time.Duration) int64 {
	pixels := new(big.Int).Mul(big.NewInt(int64(d)), big.NewInt(pixelsPerSecond))
	return pixels.Quo(pixels, big.NewInt(int64(time.Second))).Int64()
}
