// Package outfile writes the files that flags name.
package outfile

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/page"
)

// File is a file that appears whole or not at all.
type File struct {
	*bufio.Writer
	flag  string // that names the file
	path  string
	file  *durable.Pending
	place durable.Placement
}

// Create begins the file at path, which a flag names. It fails when there is something at path already,
// or when nothing can be written there; close it in any case.
func Create(files durable.FS, flag, path string) (*File, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, Exists(flag, path)
	}
	return begin(files, flag, path)
}

func begin(files durable.FS, flag, path string) (*File, error) {
	file, err := durable.Create(files, path)
	if err != nil {
		// The temporary file's name means nothing to the user.
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err
		}
		return nil, fmt.Errorf("%s %s: nothing can be written there: %w", flag, path, err)
	}
	return &File{bufio.NewWriter(file), flag, path, file, durable.New}, nil
}

// Replace begins the file at path, which replaces the regular file there, if there is one.
// It fails as Create does where nothing can be written.
func Replace(files durable.FS, flag, path string) (*File, error) {
	found, err := os.Stat(path)
	if err == nil && !found.Mode().IsRegular() {
		return nil, fmt.Errorf("%s %s: only a regular file is overwritten", flag, path)
	}
	file, err := begin(files, flag, path)
	if err == nil {
		file.place = durable.Replace
	}
	return file, err
}

// ForceHint names --force for an error about a file that is there.
func ForceHint(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return hint.With(err, "pass --force to overwrite it, or name another file")
	}
	return err
}

// Exists is the error about a file that is there.
func Exists(flag, path string) error {
	return hint.With(fmt.Errorf("%s %s: %w", flag, path, fs.ErrExist), "existing files are not overwritten: pass the name of a new file")
}

// Commit gives the file its name once its content is on disk. It fails with
// durable.ErrUnsynced when the file is there, though not for certain after a power
// failure.
func (f *File) Commit() error {
	err := f.Flush()
	if err == nil {
		err = f.file.Finish()
	}
	if err == nil {
		err = f.file.Place(f.place)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return Exists(f.flag, f.path)
	case err != nil && !errors.Is(err, durable.ErrUnsynced):
		return fmt.Errorf("%s %s: %w", f.flag, f.path, err)
	}
	return err
}

// Page is the file for text: it has no colours.
func (f *File) Page() *page.Page { return &page.Page{Writer: f, Width: page.DefaultWidth} }

// Path is the file's, as the flag named it.
func (f *File) Path() string { return f.path }

// Close drops what has not been committed. It does nothing for nil.
func (f *File) Close() {
	if f != nil {
		f.file.Discard()
	}
}
