package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/internal/page"
)

// OutFile is a file that appears whole or not at all.
type OutFile struct {
	*bufio.Writer
	flag  string // that names the file
	path  string
	file  *durable.Pending
	place durable.Placement
}

// CreateOut begins the file at path, which a flag names. It fails when there is something at path already,
// or when nothing can be written there; close it in any case.
func CreateOut(files durable.FS, flag, path string) (*OutFile, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, ExistsAlready(flag, path)
	}
	return beginOut(files, flag, path)
}

func beginOut(files durable.FS, flag, path string) (*OutFile, error) {
	file, err := durable.Create(files, path)
	if err != nil {
		// The temporary file's name means nothing to the user.
		var failed *fs.PathError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("%s %s: nothing can be written there: %w", flag, path, err)
	}
	return &OutFile{bufio.NewWriter(file), flag, path, file, durable.New}, nil
}

// ReplaceOut begins the file at path, which replaces the regular file there, if there is one.
// It fails as CreateOut does where nothing can be written.
func ReplaceOut(files durable.FS, flag, path string) (*OutFile, error) {
	found, err := os.Stat(path)
	if err == nil && !found.Mode().IsRegular() {
		return nil, fmt.Errorf("%s %s: only a regular file is overwritten", flag, path)
	}
	file, err := beginOut(files, flag, path)
	if err == nil {
		file.place = durable.Replace
	}
	return file, err
}

// ForceHint names --force for an error about a file that is there.
func ForceHint(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return WithHint(err, "pass --force to overwrite it, or name another file")
	}
	return err
}

// ExistsAlready is the error about a file that is there.
func ExistsAlready(flag, path string) error {
	return WithHint(fmt.Errorf("%s %s: %w", flag, path, fs.ErrExist), "existing files are not overwritten: pass the name of a new file")
}

// Commit gives the file its name once its content is on disk. It fails with
// *durable.UnsyncedError when the file is there, though not for certain after a power
// failure.
func (f *OutFile) Commit() error {
	err := f.Flush()
	if err == nil {
		err = f.file.Finish()
	}
	if err == nil {
		err = f.file.Place(f.place)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return ExistsAlready(f.flag, f.path)
	case err != nil && !errors.As(err, new(*durable.UnsyncedError)):
		return fmt.Errorf("%s %s: %w", f.flag, f.path, err)
	}
	return err
}

// Page is the file for text: it has no colours.
func (f *OutFile) Page() *page.Page { return &page.Page{Writer: f, Width: page.DefaultWidth} }

// Path is the file's, as the flag named it.
func (f *OutFile) Path() string { return f.path }

// Close drops what has not been committed.
func (f *OutFile) Close() { f.file.Discard() }

// Output is where a command's data goes: a file that appears at its end, or stdout.
type Output interface {
	io.Writer
	// Page is it for text for people.
	Page() *page.Page
	Commit() error
	Close()
}

// OpenOutput returns the output for --out; "" and "-" are stdout, whose reader may stop:
// that is an error like any other then, and says which nonces are used up, where the
// signal would end the process without a word.
func OpenOutput(r *Run, path string) (Output, error) {
	if path == "" || path == "-" {
		signal.Ignore(syscall.SIGPIPE)
		return stdout{bufio.NewWriter(r.Out), r}, nil
	}
	if err := RefuseFilter(r, "--out"); err != nil {
		return nil, err
	}
	return CreateOut(r.Durable(), "--out", path)
}

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
