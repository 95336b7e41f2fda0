package agent

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestAnotherUserIsRefused: even if the folder and the socket are open to all users.
func TestAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	w := begin(t, nil)
	require.NoError(t, os.Chmod(filepath.Dir(w.path), 0o755))
	require.NoError(t, os.Chmod(w.path, 0o666))
	own, err := asUser(w.path, 0)
	require.NoError(t, err)
	require.Contains(t, own, "HTTP/1.1 200 OK")
	other, err := asUser(w.path, 65534)
	require.True(t, other == "" || err != nil, "got %q", other)
	require.NotContains(t, other, "HTTP")
	require.Zero(t, w.service.refused.Load(), "the handler never saw it")
}

// asUser asks for the status as a user, and returns what is answered. The thread that
// becomes the user ends with the goroutine.
func asUser(path string, uid int) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer)
	go func() {
		runtime.LockOSThread()
		text, err := func() (string, error) {
			if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
				return "", errno
			}
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err != nil {
				return "", err
			}
			defer unix.Close(fd)
			if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
				return "", err
			}
			if err := unix.Send(fd, []byte("GET /v1/status HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n"), unix.MSG_NOSIGNAL); err != nil {
				return "", err
			}
			buffer := make([]byte, 4096)
			n, err := unix.Read(fd, buffer)
			return string(buffer[:max(0, n)]), err
		}()
		answers <- answer{text, err}
	}()
	a := <-answers
	return a.text, a.err
}
