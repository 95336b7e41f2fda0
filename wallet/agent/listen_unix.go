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
	"time"

	"golang.org/x/sys/unix"
)

// Socket is the one place where an agent can be reached, held by one process at a time.
type Socket struct {
	listener net.Listener
	lock     *os.File
}

// Listen takes the socket at path, in a folder that only the user can enter, which it
// makes if need be. What an agent that has died left behind is replaced. It fails with
// ErrRunning while another process serves the socket.
func Listen(path string) (*Socket, error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := checkFolder(folder); err != nil {
		return nil, err
	}
	// Whoever holds the lock is the agent; it ends with its process, however that ends.
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
	listener, err := listen(path)
	if err != nil {
		lock.Close()
		return nil, err
	}
	return &Socket{listener, lock}, nil
}

func listen(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return nil, fmt.Errorf("%s is there, and is no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	// The folder keeps others out from the first moment on.
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// checkFolder fails for a folder that others can enter.
func checkFolder(folder string) error {
	var stat unix.Stat_t
	if err := unix.Stat(folder, &stat); err != nil {
		return &os.PathError{Op: "stat", Path: folder, Err: err}
	}
	if int(stat.Uid) != os.Geteuid() || stat.Mode&0o077 != 0 {
		return fmt.Errorf("the agent's folder %s has mode %o and owner %d: it must be yours alone, mode 700", folder, stat.Mode&0o777, stat.Uid)
	}
	return nil
}

// Serve answers the user's own processes until ctx ends, and then ends what is under way
// in good order. The socket is gone when it returns.
func (s *Socket) Serve(ctx context.Context, handler http.Handler) error {
	defer s.lock.Close()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       10 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		patience, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(patience)
		_ = server.Close()
	})
	err := server.Serve(ownOnly{s.listener})
	if !stop() {
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close gives the socket up unserved.
func (s *Socket) Close() {
	s.listener.Close()
	s.lock.Close()
}

// ownOnly accepts connections of the user's own processes.
type ownOnly struct{ net.Listener }

// Accept closes what others make, without a word.
func (l ownOnly) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || checkPeer(conn) == nil {
			return conn, err
		}
		conn.Close()
	}
}

// checkPeer fails with ErrPeer unless the process at the other end is the same user's.
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

// AwaitEnd returns when no agent holds the socket at path any more.
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
