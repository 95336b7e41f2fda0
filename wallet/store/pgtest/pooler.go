package pgtest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// RequirePooler is the environment variable that makes a missing pgbouncer an error.
const RequirePooler = "PMCTL_REQUIRE_PGBOUNCER"

// Pooler starts pgbouncer in front of the server, in a pool mode, and returns location with its
// address. It ends with the test.
func (s *Server) Pooler(t testing.TB, location, mode string) string {
	t.Helper()
	s.need(t)
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer"
		_, err = os.Stat(program)
	}
	if err != nil && os.Getenv(RequirePooler) == "" {
		t.Skip("skipped: pgbouncer is not installed")
	}
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "pmctl-postgres-pooler-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	port, err := freePort()
	require.NoError(t, err)
	users, config := filepath.Join(dir, "users"), filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(users, fmt.Appendf(nil, "%q %q\n", "postgres", s.password), 0o600))
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `[databases]
* = host=127.0.0.1 port=%d user=postgres password=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pool_mode = %s
`, s.port, s.password, port, users, mode), 0o600))
	cmd := exec.Command(program, "-q", config)
	require.NoError(t, unprivileged(cmd, dir, users, config))
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	u, err := url.Parse(location)
	require.NoError(t, err)
	u.Host = fmt.Sprintf("127.0.0.1:%d", port)
	await(t, u.Host)
	return u.String()
}

// await waits until a server listens at an address.
func await(t testing.TB, address string) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		<-time.After(10 * time.Millisecond)
	}
}
