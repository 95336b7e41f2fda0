package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// filter computes the text that is printed instead of a document.
type filter interface {
	apply(ctx context.Context, out *bytes.Buffer, document any) error
}

// filterOptions are the flags that filter documents.
type filterOptions struct{ jq, template string }

func (o *filterOptions) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.jq, "jq", "", "filter the JSON document with the jq expression `EXPR`")
	cmd.Flags().StringVar(&o.template, "template", "", "format the JSON document with the Go template `TEXT`")
	InGroup(cmd, OutputFlags, "jq", "template")
	cmd.MarkFlagsMutuallyExclusive("jq", "template")
}

// parse returns the filter of the flags, and the flag that has it: "" when none was given. The
// program is compiled, so that a wrong one fails before the command does anything.
func (o *filterOptions) parse(cmd *cobra.Command, terminal bool) (f filter, flag string, err error) {
	switch {
	case cmd.Flags().Changed("jq"):
		f, err = parseJQ(o.jq, terminal)
		flag = "--jq"
	case cmd.Flags().Changed("template"):
		f, err = parseTemplate(o.template)
		flag = "--template"
	}
	if err != nil {
		err = WithHint(Usagef("%s: %w", flag, err), "pmctl help formats explains %s, with an example", flag)
	}
	return f, flag, err
}

// filteredWriter reads the JSON documents that are written to it, and writes what the filter makes
// of each. After the filter has failed, documents pass unchanged.
type filteredWriter struct {
	ctx    context.Context
	out    io.Writer
	filter filter
	flag   string
	// plain replaces control characters, since out is a terminal.
	plain  bool
	failed bool

	// pending is what has been read of a document, and depth how many of its objects are open.
	pending          bytes.Buffer
	depth            int
	inString, escape bool
}

func (w *filteredWriter) Write(p []byte) (int, error) {
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
func (w *filteredWriter) scan(p []byte) (n int, whole bool) {
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
func (w *filteredWriter) evaluate() error {
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
		err = w.filter.apply(ctx, &text, document)
	}
	if err != nil {
		w.failed = true
		if err := w.flush(); err != nil {
			return err
		}
		return &FilterError{w.flag, err}
	}
	w.pending.Reset()
	printed := text.Bytes()
	if w.plain {
		printed = []byte(plain(text.String()))
	}
	_, err = w.out.Write(printed)
	return err
}

// flush writes what is pending as it is: a document that the filter failed on, or one that the
// command could not finish.
func (w *filteredWriter) flush() error {
	defer w.pending.Reset()
	_, err := w.out.Write(bytes.TrimLeft(w.pending.Bytes(), "\n"))
	return err
}
