package cli

import (
	"context"
	"io"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/wallet/format"
)

// ReadParams reads a params document from a file, or from stdin as "-".
func ReadParams(ctx context.Context, r *Run, file string) (*format.Params, error) {
	return readDocument(ctx, r, file, format.ReadParams)
}

// ReadDocument reads any document from a file, or from stdin when it is "-".
func ReadDocument(ctx context.Context, r *Run, file string) (*format.Document, error) {
	return readDocument(ctx, r, file, format.Decode)
}

func readDocument[T any](ctx context.Context, r *Run, file string, decode func(io.Reader) (*T, error)) (*T, error) {
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
