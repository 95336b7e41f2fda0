package ticket

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/format"
)

// place is where in a stream a document is; the zero value is the place of an only one.
type place struct {
	Document int `json:"document,omitempty"`
	Line     int `json:"line,omitempty"`
}

func (p *place) set(to place) { *p = to }

func (p place) String() string { return fmt.Sprintf("document %d (line %d)", p.Document, p.Line) }

// answer is what is found of a document.
type answer interface {
	set(place)
	write(*page.Page)

	// err is nil if the document is as it should be.
	err() error
}

// reading answers each document of a file or of stdin.
type reading struct {
	// kind is that of the answers, and answer finds one.
	kind   string
	answer func(context.Context, *format.Document, *format.TicketLines) (answer, error)

	// emit writes the answer of an only document.
	emit func(answer) error

	documents, failed int
	worst             error
}

// run answers an only document by emit, and each of several on a line of its own.
func (d *reading) run(r *cli.Run, cmd *cobra.Command, file string) error {
	ctx := cmd.Context()
	in, err := cli.OpenDocument(ctx, r, file)
	if err != nil {
		return err
	}
	defer in.Close()
	all := format.NewDocuments(in)
	for {
		document, lines, err := all.Next()
		if errors.Is(err, io.EOF) {
			return cli.WithSource(file, d.err())
		}
		var found answer
		if err == nil {
			found, err = d.answer(ctx, document, lines)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		at := place{all.Number, all.Line}
		if d.documents++; d.documents == 1 {
			if more, _ := all.More(); !more {
				return d.only(found, cli.WithSource(file, err))
			}
		}
		if err == nil {
			found.set(at)
		}
		if err := d.write(r, at, found, err); err != nil {
			return err
		}
	}
}

func (d *reading) only(found answer, err error) error {
	if err != nil {
		return err
	}
	if err := d.emit(found); err != nil {
		return err
	}
	return found.err()
}

// write writes the answer of one of several documents, or the error in its place.
func (d *reading) write(r *cli.Run, at place, found answer, err error) error {
	failed := err
	if failed == nil {
		failed = found.err()
	}
	if failed != nil {
		failed = fmt.Errorf("%s: %w", at, failed)
		if d.failed++; d.worst == nil || cli.Failure(failed).ExitCode > cli.Failure(d.worst).ExitCode {
			d.worst = failed
		}
	}
	switch {
	case r.Output == cli.OutputJSON && err != nil:
		return format.WriteError(r.Out, cli.Failure(failed))
	case r.Output == cli.OutputJSON:
		return format.WriteLine(r.Out, d.kind, found)
	}
	w := cli.OutPage(r)
	if d.documents > 1 {
		w.Print("\n")
	}
	w.Print(fmt.Sprintf("%s\n", at))
	if err != nil {
		w.Fields([]page.Field{{"error", w.Red(format.PlainText(err.Error()))}})
	} else {
		found.write(w)
	}
	return w.Err()
}

// err is that of the documents together.
func (d *reading) err() error {
	if d.failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %s failed; %w", d.failed, words.Count(d.documents, "document"), d.worst)
}
