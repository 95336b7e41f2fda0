//go:build !unix

package input

import (
	"context"
	"os"
)

// Open opens the file at path for reading. Nothing here keeps a reader waiting as named
// pipes do.
func Open(_ context.Context, path string) (*os.File, error) { return os.Open(path) }
