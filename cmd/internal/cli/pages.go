package cli

import (
	"io"

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
