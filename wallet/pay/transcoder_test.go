package pay

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTranscoders: a recipient that publishes an address of its own network only cannot be
// paid, and the setting is the recipient's.
func TestTranscoders(t *testing.T) {
	const public = "https://recipient.example:8935"
	for _, c := range []struct {
		asked, transcoder string
		says              string // "" where it may be paid
	}{
		{public, "https://other.example:8935", ""},
		{public, "https://203.0.113.7:8935", ""},
		{public, "https://0.0.0.0:8935", "not the address of a machine"},
		{public, "https://[::]:8935", "not the address of a machine"},
		{public, "https://[::ffff:0.0.0.0]:8935", "not the address of a machine"},
		{public, "https://localhost:8935", "only its own network"},
		{public, "https://127.0.0.1:8935", "only its own network"},
		{public, "https://10.1.2.3:8935", "only its own network"},
		{public, "https://192.168.0.1:8935", "only its own network"},
		{public, "https://100.64.0.1:8935", "only its own network"},
		{public, "https://169.254.1.1:8935", "only its own network"},
		{public, "https://[fd00::1]:8935", "only its own network"},
		{public, "https://[fe80::1]:8935", "only its own network"},
		{public, "https://orchestrator:8935", "only its own network"},
		{public, "https://orch.internal:8935", "only its own network"},
		{public, "https://orch.default.svc.cluster.local:8935", "only its own network"},
		// Who asks in a network of its own can be in the same one.
		{"https://127.0.0.1:8935", "https://127.0.0.1:8936", ""},
		{"https://10.0.0.1:8935", "https://orchestrator:8935", ""},
		{"https://orchestrator:8935", "https://10.0.0.1:8935", ""},
		{"https://10.0.0.1:8935", "https://0.0.0.0:8935", "not the address of a machine"},
	} {
		got, err := TranscoderOf(parse(t, c.asked), c.transcoder)
		if c.says == "" {
			require.NoError(t, err, "%v", c)
			require.Equal(t, c.transcoder, got.String())
			continue
		}
		require.ErrorIs(t, err, ErrMalformed, "%v", c)
		require.ErrorContains(t, err, c.says, "%v", c)
		require.ErrorContains(t, err, c.asked)
		var hinted interface{ Hint() string }
		require.ErrorAs(t, err, &hinted)
		require.Contains(t, hinted.Hint(), "-serviceAddr")
	}
}
