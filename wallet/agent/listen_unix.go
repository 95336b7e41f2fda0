//go:build linux || darwin

package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pmctl/pmctl/internal/hint"
)

// Socket is an agent's socket, owned by one process at a time.
type Socket struct {
	listener *net.UnixListener
	lock     *os.File

	// path is where the socket is, file is what was created there, and every how often it is looked for.
	path  string
	file  os.FileInfo
	every time.Duration

	removed sync.Once
}

// maxPath is how many bytes of a socket's path the system takes.
const maxPath = len(unix.RawSockaddrUnix{}.Path) - 1

// Listen takes the socket at path, in a folder that only the user can enter, and creates the folder
// if needed. It replaces what a dead agent left behind. It returns ErrRunning while another process
// serves the socket.
func Listen(path string) (*Socket, error) {
	socket, err := take(path)
	if err != nil && !errors.Is(err, ErrRunning) {
		err = hint.With(fmt.Errorf("no agent can listen at %s: %w", path, err), "set PMCTL_AGENT to a path in a folder that belongs to you, with mode 700")
	}
	return socket, err
}

func take(path string) (*Socket, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("the path has %d bytes, and the system takes at most %d", len(path), maxPath)
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := checkFolder(folder); err != nil {
		return nil, err
	}
	// The process with the lock is the agent. The system releases the lock however the process
	// ends.
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = fmt.Errorf("%w: at %s", ErrRunning, path)
		}
		return nil, err
	}
	s := &Socket{lock: lock, path: path, every: 10 * time.Second}
	if err := s.listen(); err != nil {
		lock.Close()
		return nil, err
	}
	return s, nil
}

func (s *Socket) listen() error {
	path := s.path
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return fmt.Errorf("%s exists and is not a socket", path)
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	listener.SetUnlinkOnClose(false) // the path may be another agent's by then
	// The folder keeps other users out from the start.
	if err = os.Chmod(path, 0o600); err == nil {
		s.file, err = os.Lstat(path)
	}
	if err != nil {
		listener.Close()
		return err
	}
	s.listener = listener
	return nil
}

// lost reports whether the socket was removed or replaced, as when systemd removes the user's folder in
// /run. No command reaches the agent then, not even to close its key.
func (s *Socket) lost() bool {
	now, err := os.Lstat(s.path)
	return errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(s.file, now)
}

// remove removes the socket, while the listener still keeps its file apart from every other one.
func (s *Socket) remove() {
	s.removed.Do(func() {
		if !s.lost() {
			_ = os.Remove(s.path) // or the next agent does
		}
	})
}

// checkFolder refuses a folder that other users can enter.
func checkFolder(folder string) error {
	var stat unix.Stat_t
	if err := unix.Stat(folder, &stat); err != nil {
		return &os.PathError{Op: "stat", Path: folder, Err: err}
	}
	if int(stat.Uid) != os.Geteuid() || stat.Mode&0o077 != 0 {
		return fmt.Errorf("its folder %s has mode %o and owner %d; it must belong to you and have mode 700", folder, stat.Mode&0o777, stat.Uid)
	}
	return nil
}

// Serve answers the user's own processes until ctx ends, the listener fails or the socket is removed, and
// then finishes the requests in progress. It removes the socket before it returns; until Close no other
// agent can have it.
func (s *Socket) Serve(ctx context.Context, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       10 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	ended := make(chan struct{})
	end := func() {
		defer close(ended)
		s.remove()
		patience, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(patience)
		_ = server.Close()
	}
	stop := context.AfterFunc(ctx, end)
	err := server.Serve(ownOnly{s.listener, s})
	if stop() { // the listener has failed
		end()
	}
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close releases the socket, once the agent has closed all else: AwaitEnd waits for it.
func (s *Socket) Close() {
	s.remove()
	s.listener.Close()
	s.lock.Close()
}

// ownOnly accepts connections from the user's own processes, for as long as they can reach the socket.
type ownOnly struct {
	*net.UnixListener
	socket *Socket
}

// Accept closes connections from other users.
func (l ownOnly) Accept() (net.Conn, error) {
	for {
		_ = l.SetDeadline(time.Now().Add(l.socket.every)) // on a closed one Accept fails, too
		conn, err := l.UnixListener.Accept()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && l.socket.lost():
			return nil, fmt.Errorf("no command can reach the agent: its socket %s was removed or replaced", l.socket.path)
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil || checkPeer(conn) == nil:
			return conn, err
		default:
			conn.Close()
		}
	}
}

// checkPeer returns ErrPeer unless the other end is a process of the same user.
func checkPeer(conn net.Conn) error {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return err
	}
	var uid int
	var asked error
	if err := raw.Control(func(fd uintptr) { uid, asked = peerUID(int(fd)) }); err != nil {
		return err
	}
	if asked != nil {
		return asked
	}
	if uid != os.Geteuid() {
		return fmt.Errorf("%w: %d, not %d", ErrPeer, uid, os.Geteuid())
	}
	return nil
}

// AwaitEnd returns once no agent owns the socket at path.
func AwaitEnd(path string) error {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return unix.Flock(int(lock.Fd()), unix.LOCK_EX)
}
