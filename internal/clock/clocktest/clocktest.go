// Package clocktest has the times of a machine that slept, or whose clock was set, and deadlines that
// pass when a test says so.
package clocktest

import (
	"time"
	"unsafe"
)

// Asleep returns a time of time.Now as it is if the machine sleeps for d before it: the wall clock
// is d ahead, and the monotonic one as if there had been no sleep. Less than 0 is a clock that was
// set back. d is a number of seconds.
func Asleep(now time.Time, d time.Duration) time.Time {
	const shift, monotonic = 30, 1 << 63 // of the field's seconds and its flag
	later := now
	field := (*uint64)(unsafe.Pointer(&later)) // time.Time offers no other way
	if *field&monotonic == 0 {
		panic("clocktest: the time has no monotonic clock")
	}
	*field += uint64(d/time.Second) << shift
	if later.Sub(now) != 0 || later.Round(0).Sub(now.Round(0)) != d {
		panic("clocktest: package time keeps its clocks in another way")
	}
	return later
}
