package agent

import "time"

// clock measures how long ago something was with two clocks, since neither does it alone:
// the wall clock can be set back, and the other one stands still while a machine sleeps.
type clock struct {
	// wall is the time of day.
	wall func() time.Time

	// elapsed is the time that has passed since some moment, and cannot be set.
	elapsed func() time.Duration
}

// elapsedSince is a clock that cannot be set.
func elapsedSince(start time.Time) func() time.Duration {
	return func() time.Duration { return time.Since(start) }
}

// moment is a time on both clocks.
type moment struct {
	wall    time.Time
	elapsed time.Duration
}

// now is this moment.
func (c clock) now() moment { return moment{c.wall().Round(0), c.elapsed()} }

// since returns the time since a moment, by whichever clock says that it is more. SetBack
// tells that the wall clock was set to before the moment.
func (c clock) since(m moment) (age time.Duration, setBack bool) {
	now := c.now()
	wall := now.wall.Sub(m.wall)
	return max(wall, now.elapsed-m.elapsed), wall < 0
}
