package pay

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://recipient.example":       "https://recipient.example:8935",
		"https://recipient.example/":      "https://recipient.example:8935",
		"HTTPS://Recipient.Example:08935": "https://recipient.example:8935",
		"http://127.0.0.1:1":              "http://127.0.0.1:1",
		"https://[2001:DB8::1]":           "https://[2001:db8::1]:8935",
		"https://[::1]:443/":              "https://[::1]:443",
		"recipient.example:8935":          "https://recipient.example:8935",
		"Recipient.Example:08935/":        "https://recipient.example:8935",
		"127.0.0.1:443":                   "https://127.0.0.1:443",
		"[2001:DB8::1]:8935":              "https://[2001:db8::1]:8935",
	} {
		u, err := ParseURL(in)
		require.NoError(t, err, in)
		require.Equal(t, want, u.String())
		again, err := ParseURL(u.String())
		require.NoError(t, err)
		require.Equal(t, u, again)
	}
}

// What recipients publish without a port is on the scheme's own, which is where other
// senders look for it.
func TestParseServiceURI(t *testing.T) {
	for in, want := range map[string]string{
		"https://recipient.example":      "https://recipient.example:443",
		"http://recipient.example/":      "http://recipient.example:80",
		"https://recipient.example:8935": "https://recipient.example:8935",
	} {
		u, err := ParseServiceURI(in)
		require.NoError(t, err, in)
		require.Equal(t, want, u.String())
		transcoder, err := TranscoderOf(parse(t, "https://recipient.example:8935"), in)
		if u.TLS() {
			require.NoError(t, err)
			require.Equal(t, u, transcoder)
		}
	}
	_, err := ParseServiceURI("ftp://recipient.example")
	require.ErrorIs(t, err, ErrURL)
}

func TestParseURLRefuses(t *testing.T) {
	for _, in := range []string{
		"", "recipient.example", "recipient.example:", ":8935", "[::1]", "::1:8935", "recipient.example:0", "recipient.example:8935/payment",
		"recipient.example:8935?x", "ftp:recipient.example", "ftp://recipient.example", "https://",
		"https://:8935", "https://recipient.example/payment", "https://recipient.example?x=1", "https://recipient.example?",
		"https://recipient.example#x", "https://recipient.example#", "https://recipient.example:0", "https://recipient.example:65536",
		"https://recipient.example:http", "https://a b", "https://%20:1", "unix:///tmp/x", "https://recipient.example:-1",
		"https://" + strings.Repeat("long.", 1000) + "example:8935",
	} {
		_, err := ParseURL(in)
		require.ErrorIs(t, err, ErrURL, in)
		require.ErrorContains(t, err, "https://host:8935", in)
		require.Less(t, len(err.Error()), 300)
	}
}

func TestURLErrorsKeepSecrets(t *testing.T) {
	for _, in := range []string{"https://user:hunter2@recipient.example", "https://user:hunter2@recipient.example:bad", "user:hunter2@recipient.example", "user:hunter2@recipient.example:8935"} {
		_, err := ParseURL(in)
		require.ErrorIs(t, err, ErrURL)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("https://recipient.example")
	f.Add("http://[::1%25eth0]:80/")
	f.Add("recipient.example:8935")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURL(text)
		if err != nil {
			return
		}
		again, err := ParseURL(u.String())
		require.NoError(t, err)
		require.Equal(t, u, again)
	})
}
