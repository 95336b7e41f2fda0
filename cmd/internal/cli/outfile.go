package cli

import (
	"bufio"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/pmctl/pmctl/internal/outfile"
	"github.com/pmctl/pmctl/internal/page"
)

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
	return outfile.Create(r.Durable(), "--out", path)
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
