// Package duration reads and writes lengths of time as users do.
package duration

import (
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Parse reads Go's durations, and a number of days or weeks: 500ms, 1h30m, 30d, 2w.
func Parse(text string) (time.Duration, error) {
	var perHour time.Duration
	switch {
	case strings.HasSuffix(text, "d"):
		perHour = day / time.Hour
	case strings.HasSuffix(text, "w"):
		perHour = 7 * day / time.Hour
	default:
		return time.ParseDuration(text)
	}
	number := text[:len(text)-1]
	if strings.Trim(number, "+-.0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	d, err := time.ParseDuration(number + "h") // reads a fraction exactly
	if err == nil && d.Abs() > math.MaxInt64/perHour {
		err = strconv.ErrRange
	}
	if err != nil {
		return 0, err
	}
	return d * perHour, nil
}

// Text writes a duration without zeros, and whole days as such: 5m and 7d, where Go prints 5m0s and 168h0m0s.
func Text(d time.Duration) string {
	if d != 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
