//go:build !unix

package input

import (
	"context"
	"os"
)

// Open opens the file at path for reading. Files do not block on this system.
func Open(_ context.Context, path string) (*os.File, error) { return openFile(path) }
