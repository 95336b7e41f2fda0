package clock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
)

// TestAge: neither clock tells alone how long ago a time was.
func TestAge(t *testing.T) {
	then := time.Now()
	for name, c := range map[string]struct {
		now     time.Time
		age     time.Duration
		setBack bool
	}{
		"awake":             {then.Add(5 * time.Second), 5 * time.Second, false},
		"asleep":            {clocktest.Asleep(then.Add(5*time.Second), time.Hour), time.Hour + 5*time.Second, false},
		"set back":          {clocktest.Asleep(then.Add(5*time.Second), -time.Hour), 5 * time.Second, true},
		"set back a little": {clocktest.Asleep(then.Add(time.Hour), -time.Minute), time.Hour, false},
		"one clock":         {then.Round(0).Add(time.Minute), time.Minute, false},
		"one, set back":     {then.Round(0).Add(-time.Minute), -time.Minute, true},
	} {
		age, setBack := Age(c.now, then)
		require.Equal(t, c.age, age, name)
		require.Equal(t, c.setBack, setBack, name)
		require.Equal(t, !c.setBack && c.age < time.Minute, Within(c.now, then, time.Minute), name)
	}
}
