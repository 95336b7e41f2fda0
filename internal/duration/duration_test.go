package duration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "30s": 30 * time.Second, "1h30m": 90 * time.Minute, "0": 0, "-5m": -5 * time.Minute,
		"1d": day, "30d": 30 * day, "2w": 14 * day, "0.7d": 16*time.Hour + 48*time.Minute, "-1d": -day, "106751d": 106751 * day,
	} {
		d, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, d, text)
	}
	for _, text := range []string{"", "d", "w", "5", "soon", "1_0d", "1e2d", "0x1p4d", "30 d", "1.2.3d", "106752d", "-106752d", "99999999999999999999w"} {
		_, err := Parse(text)
		require.Error(t, err, text)
	}
}

// TestTextIsRead: what is written can be typed again.
func TestTextIsRead(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 500 * time.Millisecond: "500ms", 10 * time.Second: "10s", 5 * time.Minute: "5m", 90 * time.Second: "1m30s", 10 * time.Hour: "10h",
		90 * time.Minute: "1h30m", day: "1d", 36 * time.Hour: "36h", 14 * day: "14d", -5 * time.Minute: "-5m",
	} {
		text := Text(d)
		require.Equal(t, want, text)
		again, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, d, again, text)
	}
}
