package cmd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// outFile is a file that appears whole or not at all, and never in place of another.
type outFile struct {
	*bufio.Writer
	flag string // that names the file
	path string
	temp *os.File
}

// createOut begins the file at path, which a flag names. It fails when there is something at path already,
// or when nothing can be written there; close it in any case.
func createOut(flag, path string) (*outFile, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, existsAlready(flag, path)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		// The name of the file that could not be begun means nothing to anybody.
		var failed *fs.PathError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("%s %s: nothing can be written there: %w", flag, path, err)
	}
	return &outFile{bufio.NewWriter(temp), flag, path, temp}, nil
}

func existsAlready(flag, path string) error {
	return withHint(fmt.Errorf("%s %s: %w", flag, path, fs.ErrExist), "nothing is ever overwritten: name another file")
}

// commit gives the file its name once its content is on disk.
func (f *outFile) commit() error {
	err := f.Flush()
	if err == nil {
		err = f.temp.Sync()
	}
	err = errors.Join(err, f.temp.Close())
	if err == nil {
		err = place(os.Link, f.temp.Name(), f.path)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return existsAlready(f.flag, f.path)
	case err != nil:
		return fmt.Errorf("%s %s: %w", f.flag, f.path, err)
	}
	return sure(f.path, syncFolder(filepath.Dir(f.path)))
}

// place gives the file at from the name to, unless there is something already. Where
// there are no links the name is taken first, by an empty file.
func place(link func(from, to string) error, from, to string) error {
	err := link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	taken, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	taken.Close()
	if err := os.Rename(from, to); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

// unsyncedError is a file that is there and whole, though not for certain after a power
// failure.
type unsyncedError struct {
	path string
	err  error
}

// sure is an *unsyncedError when the name of the file at path could not be synced.
func sure(path string, err error) error {
	if err == nil {
		return nil
	}
	return &unsyncedError{path, err}
}

func (e *unsyncedError) Error() string {
	return fmt.Sprintf("%s is written, but might not survive a power failure: %v", e.path, e.err)
}
func (e *unsyncedError) Unwrap() error { return e.err }

// Hint warns against the second time.
func (e *unsyncedError) Hint() string { return "the file is there: do not make it again" }

// close drops what has not been committed.
func (f *outFile) close() {
	f.temp.Close()
	os.Remove(f.temp.Name())
}

// syncFolder makes a new name in a folder survive a power failure, where a folder can
// be synced.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer folder.Close()
	if err := folder.Sync(); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// output is where a command's data goes: a file that appears at its end, or stdout.
type output interface {
	io.Writer
	commit() error
	close()
}

// openOutput returns the output for --out; "" and "-" are stdout, whose reader may stop:
// that is an error like any other then, and says which nonces are used up, where the
// signal would end the process without a word.
func (r *run) openOutput(path string) (output, error) {
	if path == "" || path == "-" {
		signal.Ignore(syscall.SIGPIPE)
		return stdout{bufio.NewWriter(r.Out)}, nil
	}
	return createOut("--out", path)
}

type stdout struct{ *bufio.Writer }

func (s stdout) commit() error { return s.Flush() }
func (s stdout) close()        {}
