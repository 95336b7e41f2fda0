package facts

import "time"

// Clock measures how long ago something was with two clocks, since neither does it alone:
// the wall clock can be set back, and the other one stands still while a machine sleeps.
type Clock struct {
	// Wall is the time of day.
	Wall func() time.Time
	// Elapsed is the time that has passed since some moment, and cannot be set.
	Elapsed func() time.Duration
}

// ElapsedSince is a clock that cannot be set.
func ElapsedSince(start time.Time) func() time.Duration {
	return func() time.Duration { return time.Since(start) }
}

// Moment is a time on both clocks.
type Moment struct {
	Wall    time.Time
	Elapsed time.Duration
}

// Now is this moment.
func (c Clock) Now() Moment { return Moment{c.Wall().Round(0), c.Elapsed()} }

// Since returns the time since a moment, by whichever clock says that it is more. SetBack
// tells that the wall clock was set to before the moment.
func (c Clock) Since(m Moment) (age time.Duration, setBack bool) {
	now := c.Now()
	wall := now.Wall.Sub(m.Wall)
	return max(wall, now.Elapsed-m.Elapsed), wall < 0
}
