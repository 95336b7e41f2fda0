//go:build unix

package cmd

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// terminalInput reads a terminal a byte at a time and stops reading when it is
// closed. Line editors read ahead and leave a reader behind: what was typed for
// the next question would go to them.
type terminalInput struct {
	fd        int
	wakeRead  *os.File
	wakeWrite *os.File
	close     sync.Once
}

func newTerminalInput(f *os.File) (io.ReadCloser, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &terminalInput{fd: int(f.Fd()), wakeRead: r, wakeWrite: w}, nil
}

func (t *terminalInput) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	fds := []unix.PollFd{
		{Fd: int32(t.fd), Events: unix.POLLIN},
		{Fd: int32(t.wakeRead.Fd()), Events: unix.POLLIN},
	}
	for {
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return 0, err
		}
		if fds[1].Revents != 0 {
			return 0, io.EOF
		}
		n, err := unix.Read(t.fd, p[:1])
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Close makes a pending Read and all later ones return io.EOF.
func (t *terminalInput) Close() error {
	t.close.Do(func() { t.wakeWrite.Close() })
	return nil
}

// openFD opens an inherited file descriptor for reading.
func openFD(fd int) (io.ReadCloser, error) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
		return nil, usagef("file descriptor %d is not open", fd)
	}
	return os.NewFile(uintptr(fd), "descriptor"), nil
}
