//go:build unix

package terminal

import (
	"io"
	"os"

	"github.com/pmctl/pmctl/internal/input"
)

// newInput reads a terminal a byte at a time. Line editors read ahead and leave
// a reader behind: what was typed for the next question would go to them.
func newInput(f *os.File) (io.ReadCloser, error) {
	return input.NewDescriptor(int(f.Fd()), 1, func() error { return io.EOF })
}
