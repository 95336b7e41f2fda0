package cli

import (
	"time"

	"github.com/pmctl/pmctl/internal/duration"
)

// ParseDuration reads the value of a flag that must be more than 0.
func ParseDuration(flag, text string) (time.Duration, error) {
	d, err := duration.Parse(text)
	if err == nil && d <= 0 {
		return 0, Usagef("%s %q: it must be more than 0, such as 12h, 30d or 2w", flag, text)
	}
	if err != nil {
		return 0, Usagef("%s %q: it must be a time such as 12h, 30d or 2w", flag, text)
	}
	return d, nil
}

// ParseMoment reads how long ago something was, a day, or a time; "" is the zero time.
func ParseMoment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	ago, err := ParseDuration(flag, text)
	if err != nil {
		return time.Time{}, Usagef("%s %q: it must be how long ago (12h, 30d, 2w), a day (2026-03-01, in UTC) or a time (2026-03-01T12:00:00Z)", flag, text)
	}
	return now.Add(-ago).UTC(), nil
}
