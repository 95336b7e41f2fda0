package cmd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// outFile is a file that appears whole or not at all, and never in place of another.
type outFile struct {
	*bufio.Writer
	path string
	temp *os.File
}

// createOut begins the file at path. It fails when there is something at path already,
// or when nothing can be written there; close it in any case.
func createOut(path string) (*outFile, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, existsAlready(path)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		// The name of the file that could not be begun means nothing to anybody.
		var failed *fs.PathError
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("--out %s: nothing can be written there: %w", path, err)
	}
	return &outFile{bufio.NewWriter(temp), path, temp}, nil
}

func existsAlready(path string) error {
	return withHint(fmt.Errorf("--out %s: %w", path, fs.ErrExist), "nothing is ever overwritten: name another file")
}

// commit gives the file its name once its content is on disk.
func (f *outFile) commit() error {
	err := f.Flush()
	if err == nil {
		err = f.temp.Sync()
	}
	err = errors.Join(err, f.temp.Close())
	if err == nil {
		err = os.Link(f.temp.Name(), f.path)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return existsAlready(f.path)
	case err != nil:
		return fmt.Errorf("--out %s: %w", f.path, err)
	}
	return syncFolder(filepath.Dir(f.path))
}

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
	if err := folder.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("the file is written, but might not survive a power failure: %w", err)
	}
	return nil
}

// output is where a command's data goes: a file that appears at its end, or stdout.
type output interface {
	io.Writer
	commit() error
	close()
}

// openOutput returns the output for --out; "" and "-" are stdout.
func (r *run) openOutput(path string) (output, error) {
	if path == "" || path == "-" {
		return stdout{bufio.NewWriter(r.Out)}, nil
	}
	return createOut(path)
}

type stdout struct{ *bufio.Writer }

func (s stdout) commit() error { return s.Flush() }
func (s stdout) close()        {}
