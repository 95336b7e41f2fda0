package cli

import (
	"context"
	"io"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/wallet/format"
)

// ReadParams reads a params document from a file, or from stdin as "-".
func ReadParams(ctx context.Context, r *Run, file string) (*format.Params, error) {
	if file == "-" {
		if r.InTerminal {
			return nil, Usagef("stdin is a terminal: name a file, or pipe the output of pmctl params fetch -o json")
		}
		params, err := format.ReadParams(r.In)
		return params, WithSource("stdin", err)
	}
	f, err := input.Open(ctx, file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	params, err := format.ReadParams(f)
	return params, WithSource(file, err)
}

// ReadDocument reads any document from a file, or from stdin when it is "-".
func ReadDocument(ctx context.Context, r *Run, file string) (*format.Document, error) {
	in, err := OpenDocument(ctx, r, file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	document, err := format.Decode(in)
	if err != nil {
		return nil, WithSource(FileName(file), err)
	}
	return document, nil
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
