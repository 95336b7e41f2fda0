package cli

import (
	"bufio"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/pmctl/pmctl/internal/outfile"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/terminal"
	"github.com/pmctl/pmctl/wallet/check"
)

// OutPage is stdout.
func OutPage(r *Run) *page.Page { return OutPageOn(r, r.Out) }

// OutPageOn is a page for what w passes on to stdout.
func OutPageOn(r *Run, w io.Writer) *page.Page {
	columns, known := terminal.Width(r.Getenv("COLUMNS"), r.OutSize)
	return &page.Page{Writer: w, Width: columns, Bounded: known, Colours: coloured(r, r.OutTerminal)}
}

// ErrPage is stderr.
func ErrPage(r *Run) *page.Page {
	columns, known := terminal.Width(r.Getenv("COLUMNS"), r.ErrSize)
	return &page.Page{Writer: r.Err, Width: columns, Bounded: known, Colours: coloured(r, r.ErrTerminal)}
}

// errWidth is how wide text on stderr may be.
func errWidth(e *Env) int {
	columns, _ := terminal.Width(e.Getenv("COLUMNS"), e.ErrSize)
	return columns
}

// Verdict is text about how a check went, in its colour.
func Verdict(colours page.Colours, state check.State, text string) string {
	switch state {
	case check.OK:
		return colours.Green(text)
	case check.Warning:
		return colours.Yellow(text)
	case check.Failed:
		return colours.Red(text)
	}
	return colours.Dim(text)
}

// Values of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// coloured reports whether text on a stream is.
func coloured(r *Run, terminal bool) page.Colours {
	switch r.color {
	case colorAlways:
		return true
	case colorNever:
		return false
	}
	return page.Colours(terminal && r.Getenv("NO_COLOR") == "" && r.Getenv("TERM") != "dumb")
}

// Output is where a command's data goes: a file that appears at its end, or stdout.
type Output interface {
	io.Writer
	// Page is it for text for people.
	Page() *page.Page
	Commit() error
	Close()
}

// OpenOutput returns the output for --out; "" and "-" are stdout, where a reader that stops is an
// error, which says which nonces are used up.
func OpenOutput(r *Run, path string) (Output, error) {
	if path == "" || path == "-" {
		FailBrokenPipes()
		return stdout{bufio.NewWriter(r.Out), r}, nil
	}
	if err := RefuseFilter(r, "--out"); err != nil {
		return nil, err
	}
	return outfile.Create(r.Files, "--out", path)
}

// FailBrokenPipes makes a write to stdout or stderr whose reader has stopped an error like any other, where the
// signal would end the process without a word. It is not ignored, which the processes that a command
// starts would inherit.
func FailBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// RefuseFilter fails if --jq or --template would have nothing to read: a flag has no document
// written to stdout.
func RefuseFilter(r *Run, flag string) error {
	if r.filtered == nil {
		return nil
	}
	return Usagef("%s and %s exclude each other: pass only one of them", r.filtered.Flag(), flag)
}

type stdout struct {
	*bufio.Writer
	run *Run
}

func (s stdout) Commit() error    { return s.Flush() }
func (s stdout) Close()           {}
func (s stdout) Page() *page.Page { return OutPageOn(s.run, s.Writer) }
