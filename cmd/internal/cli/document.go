package cli

import (
	"context"
	"io"

	"github.com/pmctl/pmctl/internal/input"
)

// ReadDocument reads a document from a file, or from stdin when it is "-".
func ReadDocument[T any](ctx context.Context, r *Run, file string, decode func(io.Reader) (*T, error)) (*T, error) {
	in, err := OpenDocument(ctx, r, file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	document, err := decode(in)
	return document, WithSource(file, err)
}

// FileOrStdin is the file that a command's arguments name; stdin when they name none.
func FileOrStdin(args []string) string {
	if len(args) == 0 {
		return "-"
	}
	return args[0]
}

// OpenDocument opens a file, or stdin for "-". Reading it ends with ctx.
func OpenDocument(ctx context.Context, r *Run, file string) (io.ReadCloser, error) {
	if file != "-" {
		return input.Open(ctx, file)
	}
	if r.InTerminal {
		return nil, Usagef("there is nothing on stdin: name a FILE, or pipe a document in")
	}
	return io.NopCloser(r.In), nil
}
