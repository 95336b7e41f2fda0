package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet/format"
)

// readSecret reads a key to the end of in, at most limit bytes.
func readSecret(in io.Reader, name string, limit int) ([]byte, error) {
	// One buffer from the start: growing it would leave copies of the key behind.
	buffer := make([]byte, limit+1)
	n, err := io.ReadFull(in, buffer)
	switch {
	case err == nil:
		err = fmt.Errorf("%w: %s is over %d bytes long", keystore.ErrBadKey, name, limit)
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("%w: %s is empty", keystore.ErrBadKey, name)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return buffer[:n], nil
	default:
		err = fmt.Errorf("%s: %w", name, err)
	}
	clear(buffer)
	return nil, err
}

// readParams reads a params document from a file, or from stdin as "-".
func (r *run) readParams(ctx context.Context, file string) (*format.Params, error) {
	if file == "-" {
		if r.InTerminal {
			return nil, usagef("stdin is a terminal: name a file, or pipe the output of pmctl params fetch -o json")
		}
		params, err := format.ReadParams(r.In)
		return params, withSource("stdin", err)
	}
	f, err := input.Open(ctx, file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	params, err := format.ReadParams(f)
	return params, withSource(file, err)
}

// readDocument reads any document from a file, or from stdin when it is "-".
func (r *run) readDocument(ctx context.Context, file string) (*format.Document, error) {
	in, err := r.openDocument(ctx, file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	document, err := format.Decode(in)
	if err != nil {
		return nil, withSource(fileName(file), err)
	}
	return document, nil
}

// fileOrStdin is the file that a command's arguments name; stdin when they name none.
func fileOrStdin(args []string) string {
	if len(args) == 0 {
		return "-"
	}
	return args[0]
}

// openDocument opens a file, or stdin for "-". Reading it ends with ctx.
func (r *run) openDocument(ctx context.Context, file string) (io.ReadCloser, error) {
	if file != "-" {
		return input.Open(ctx, file)
	}
	if r.InTerminal {
		return nil, usagef("there is nothing on stdin: name a FILE, or pipe a document in")
	}
	return io.NopCloser(r.In), nil
}
