// Package jsonfilter prints, instead of JSON documents, what a jq expression or a Go template makes
// of each.
package jsonfilter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Filter writes the text that is printed instead of a document.
type Filter func(ctx context.Context, out *bytes.Buffer, document any) error

// Writer reads the JSON documents that are written to it, and writes what the filter makes of each.
// After the filter has failed, documents pass unchanged.
type Writer struct {
	ctx    context.Context
	out    io.Writer
	filter Filter
	flag   string
	clean  func(string) string
	failed bool

	// pending is what has been read of a document, and depth how many of its objects are open.
	pending          bytes.Buffer
	depth            int
	inString, escape bool
}

// NewWriter returns a writer to out for the filter that a flag has. The text of the filter passes
// through clean. Once ctx has ended the filter has a moment more for each document.
func NewWriter(ctx context.Context, out io.Writer, filter Filter, flag string, clean func(string) string) *Writer {
	return &Writer{ctx: ctx, out: out, filter: filter, flag: flag, clean: clean}
}

// Flag is the flag that has the filter.
func (w *Writer) Flag() string { return w.flag }

// Write fails with *Error if the filter does.
func (w *Writer) Write(p []byte) (int, error) {
	var failure error
	for rest := p; len(rest) > 0; {
		if w.failed {
			if _, err := w.out.Write(rest); err != nil {
				return len(p) - len(rest), err
			}
			break
		}
		n, whole := w.scan(rest)
		w.pending.Write(rest[:n])
		rest = rest[n:]
		if whole {
			if failure = w.evaluate(); failure != nil && !w.failed {
				return len(p) - len(rest), failure
			}
		}
	}
	return len(p), failure
}

// scan returns how many bytes of p belong to the document that is being read, and whether it ends
// with them.
func (w *Writer) scan(p []byte) (n int, whole bool) {
	for i, c := range p {
		switch {
		case w.escape:
			w.escape = false
		case w.inString:
			w.escape, w.inString = c == '\\', c != '"'
		case c == '"':
			w.inString = true
		case c == '{':
			w.depth++
		case c == '}':
			if w.depth--; w.depth == 0 {
				return i + 1, true
			}
		}
	}
	return len(p), false
}

// interruptedFor is how long a filter may take after its command was interrupted.
const interruptedFor = 2 * time.Second

// evaluate applies the filter to the pending document.
func (w *Writer) evaluate() error {
	var document any
	decoder := json.NewDecoder(bytes.NewReader(w.pending.Bytes()))
	decoder.UseNumber()
	err := decoder.Decode(&document)
	var text bytes.Buffer
	if err == nil {
		ctx := w.ctx
		if ctx.Err() != nil {
			// An interrupted command still reports what it did.
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), interruptedFor)
			defer cancel()
		}
		err = w.filter(ctx, &text, document)
	}
	if err != nil {
		w.failed = true
		if err := w.Flush(); err != nil {
			return err
		}
		return &Error{w.flag, err}
	}
	w.pending.Reset()
	_, err = io.WriteString(w.out, w.clean(text.String()))
	return err
}

// Flush writes what is pending as it is: a document that the filter failed on, or one that the
// command could not finish.
func (w *Writer) Flush() error {
	defer w.pending.Reset()
	_, err := w.out.Write(bytes.TrimLeft(w.pending.Bytes(), "\n"))
	return err
}

// Error is returned when --jq or --template fails on a document, which is then printed as
// it is: what pmctl did must not be lost by a mistake in an expression.
type Error struct {
	flag string
	err  error
}

func (e *Error) Error() string {
	why := e.err.Error()
	if errors.Is(e.err, context.Canceled) || errors.Is(e.err, context.DeadlineExceeded) {
		why = "interrupted"
	}
	return fmt.Sprintf("%s failed on the document, which is printed unchanged: %s", e.flag, why)
}

func (e *Error) Unwrap() error { return e.err }

// Hint keeps the user from running the command again.
func (e *Error) Hint() string {
	return "the command itself has done its work: use the printed document, and correct the expression for the next run"
}
