//go:build unix

package cli

import (
	"context"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/pmctl/pmctl/internal/input"
)

// closeOnExec keeps a descriptor from the programs that pmctl starts, which could read a file of it again
// from the beginning.
func closeOnExec(fd int) { unix.CloseOnExec(fd) }

// inherited reports whether a descriptor is open, and pmctl's caller opened it: Go closes its own on exec.
func inherited(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}

// openFD reads an inherited file descriptor until ctx ends.
func openFD(ctx context.Context, fd int) (io.Reader, error) {
	in, err := input.NewDescriptor(fd, 0, func() error { return ErrCancelled })
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { in.Close() })
	return in, nil
}

// endWith has reads of a file end with ctx, too.
func endWith(ctx context.Context, f *os.File) (io.Reader, error) { return openFD(ctx, int(f.Fd())) }
