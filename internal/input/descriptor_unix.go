//go:build unix

package input

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Descriptor reads a file descriptor, and stops waiting when it is closed. A plain read of a
// terminal or a pipe cannot be interrupted.
type Descriptor struct {
	fd int
	// step limits each read; 0 for no limit.
	step int
	// ended returns the error of reads after the input is closed.
	ended     func() error
	wakeRead  *os.File
	wakeWrite *os.File
	close     sync.Once
}

// NewDescriptor reads fd, at most step bytes at once unless step is 0. After Close, reads fail with
// the result of ended.
func NewDescriptor(fd, step int, ended func() error) (*Descriptor, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &Descriptor{fd: fd, step: step, ended: ended, wakeRead: r, wakeWrite: w}, nil
}

// Read implements io.Reader.
func (d *Descriptor) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if d.step > 0 {
		p = p[:min(len(p), d.step)]
	}
	fds := []unix.PollFd{
		{Fd: int32(d.fd), Events: unix.POLLIN},
		{Fd: int32(d.wakeRead.Fd()), Events: unix.POLLIN},
	}
	for {
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return 0, err
		}
		if fds[1].Revents != 0 {
			return 0, d.ended()
		}
		n, err := unix.Read(d.fd, p)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Close ends a pending Read and all later ones. It does not close the descriptor itself.
func (d *Descriptor) Close() error {
	d.close.Do(func() { d.wakeWrite.Close() })
	return nil
}
