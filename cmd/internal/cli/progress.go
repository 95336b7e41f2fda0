package cli

import (
	"fmt"

	"github.com/pmctl/pmctl/internal/page"
)

// watched reports whether a person sees what is rewritten in place.
func watched(r *Run) bool {
	return r.ErrTerminal && !r.Quiet && !documentsOnly(r) && r.Getenv("TERM") != "dumb"
}

// Waiting tells a person at a terminal what is waited for, once that takes longer than a
// moment, until the returned function is called. In a pipe it does nothing.
func (r *Run) Waiting(format string, args ...any) (done func()) {
	text := page.PlainLines(fmt.Sprintf(format, args...))
	return r.Progress(func() string { return text })
}

// Progress is Waiting for what changes: a goroutine of its own asks for the text.
func (r *Run) Progress(text func() string) (done func()) {
	if !watched(r) {
		return func() {}
	}
	return r.screen.Progress(text)
}
