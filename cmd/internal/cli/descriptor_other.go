//go:build !unix

package cli

import (
	"context"
	"io"
	"os"
)

// closeOnExec has nothing to keep from other programs: only the standard descriptors are inherited.
func closeOnExec(int) {}

// inherited leaves it to openFD to refuse descriptors.
func inherited(int) bool { return true }

// openFD reads an inherited file descriptor. Only the standard one is inherited here.
func openFD(_ context.Context, fd int) (io.Reader, error) {
	if fd != 0 {
		return nil, Usagef("only descriptor 0 can be read on this system")
	}
	return os.Stdin, nil
}

// endWith returns the file: here a read that has begun ends with the process alone. On Windows its
// descriptor is a handle, whatever its number.
func endWith(_ context.Context, f *os.File) (io.Reader, error) { return f, nil }
