//go:build !unix

package cmd

import (
	"io"
	"os"
)

// newTerminalInput reads the terminal as it is: a prompt that is cancelled
// returns with the next key.
func newTerminalInput(f *os.File) (io.ReadCloser, error) { return io.NopCloser(f), nil }

// openFD opens an inherited file descriptor for reading. Only the standard ones
// are inherited here.
func openFD(fd int) (io.ReadCloser, error) {
	if fd != 0 {
		return nil, usagef("only descriptor 0 can be read on this system")
	}
	return os.Stdin, nil
}
