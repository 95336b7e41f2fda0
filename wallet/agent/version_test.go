//go:build linux || darwin

package agent

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/format"
)

// After an upgrade the agent that still runs is of the version before.
func TestAnAgentOfAnotherVersion(t *testing.T) {
	const before = `{"kind":"pmctl.agent_status","version":1,"data":{"pid":1,"account":"0x0000000000000000000000000000000000000001"}}`
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(before))
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	client := NewClient(path)
	defer client.Close()

	_, err = client.Status(t.Context())
	var other *OtherVersionError
	require.ErrorAs(t, err, &other)
	require.ErrorIs(t, err, ErrMismatch)
	var version *format.VersionError
	require.ErrorAs(t, err, &version)
	require.Equal(t, 1, version.Found)
	require.True(t, strings.HasPrefix(err.Error(), "the agent at "+path+" runs another version of pmctl: "), err)
	explained, _ := hint.Of(err)
	require.Equal(t, "restart it: pmctl agent stop, then pmctl agent start", explained)
}
