// Package clock measures how long ago something was.
package clock

import "time"

// Age returns the time from then to now, by whichever of the machine's clocks says that it is more:
// the wall clock can be set back, and the monotonic one stands still while the machine sleeps. Times
// that time.Now has not returned have the wall clock alone. setBack reports whether it was set to before
// then.
func Age(now, then time.Time) (age time.Duration, setBack bool) {
	wall := now.Round(0).Sub(then.Round(0))
	return max(wall, now.Sub(then)), wall < 0
}

// Within reports whether then was less than d before now. If the wall clock was set back that is not
// known, and false.
func Within(now, then time.Time, d time.Duration) bool {
	age, setBack := Age(now, then)
	return !setBack && age < d
}
