//go:build unix

package cmd

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// descriptorInput reads a file descriptor, and stops waiting for it when it is closed.
// A plain read of a terminal or a pipe cannot be called off.
type descriptorInput struct {
	fd int
	// step is how much is read at once; 0 is as much as is asked for.
	step int
	// ended is what reads return once the input is closed.
	ended     error
	wakeRead  *os.File
	wakeWrite *os.File
	close     sync.Once
}

func newDescriptorInput(fd, step int, ended error) (*descriptorInput, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &descriptorInput{fd: fd, step: step, ended: ended, wakeRead: r, wakeWrite: w}, nil
}

// newTerminalInput reads a terminal a byte at a time. Line editors read ahead and leave
// a reader behind: what was typed for the next question would go to them.
func newTerminalInput(f *os.File) (io.ReadCloser, error) {
	return newDescriptorInput(int(f.Fd()), 1, io.EOF)
}

func (d *descriptorInput) Read(p []byte) (int, error) {
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
			return 0, d.ended
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

// Close makes a pending Read and all later ones return at once. The descriptor itself
// stays open: it is not this input's.
func (d *descriptorInput) Close() error {
	d.close.Do(func() { d.wakeWrite.Close() })
	return nil
}

// openFD reads an inherited file descriptor until ctx ends.
func openFD(ctx context.Context, fd int) (io.Reader, error) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
		return nil, usagef("file descriptor %d is not open", fd)
	}
	in, err := newDescriptorInput(fd, 0, errCancelled)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { in.Close() })
	return in, nil
}
