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
// from the beginning. One that is not open is found out when it is read.
func closeOnExec(fd int) { unix.CloseOnExec(fd) }

// openFD reads an inherited file descriptor until ctx ends.
func openFD(ctx context.Context, fd int) (io.Reader, error) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
		return nil, Usagef("file descriptor %d is not open", fd)
	}
	in, err := input.NewDescriptor(fd, 0, func() error { return ErrCancelled })
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { in.Close() })
	return in, nil
}

// endWith has reads of a file end with ctx, too.
func endWith(ctx context.Context, f *os.File) (io.Reader, error) { return openFD(ctx, int(f.Fd())) }
