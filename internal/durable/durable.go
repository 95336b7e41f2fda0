// Package durable writes files that are complete after a power failure, or not there at all.
//
// A write takes these steps, and each is needed: the content goes to a hidden file in the same
// folder, is synced, gets the file's name, and then the folder is synced, without which the name
// may be lost.
//
//	f, err := durable.Create(files, path)
//	defer f.Discard()
//	f.Write(content)
//	f.Finish()
//	f.Place(durable.New)
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pmctl/pmctl/internal/hint"
)

// Pending is a file that has content, but not its name yet.
type Pending struct {
	files FS
	temp  File
	path  string
}

// Create starts the file at path.
func Create(files FS, path string) (*Pending, error) {
	temp, err := files.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, naming(path, err)
	}
	return &Pending{files, temp, path}, nil
}

// naming changes an error about the temporary file into one about the file at path, which is the
// one that the caller knows.
func naming(path string, err error) error {
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return &fs.PathError{Op: "write", Path: path, Err: link.Err}
	}
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "write", Path: path, Err: file.Err}
	}
	return err
}

// Write appends to the content.
func (p *Pending) Write(b []byte) (int, error) {
	n, err := p.temp.Write(b)
	return n, naming(p.path, err)
}

// Chmod sets the file's mode, whatever the umask.
func (p *Pending) Chmod(mode fs.FileMode) error { return naming(p.path, p.temp.Chmod(mode)) }

// Name is the temporary name of the file.
func (p *Pending) Name() string { return p.temp.Name() }

// Finish syncs the content and closes the file.
func (p *Pending) Finish() error {
	return errors.Join(naming(p.path, p.temp.Sync()), naming(p.path, p.temp.Close()))
}

// Place gives the file its name, after Finish, and syncs the folder. If that fails with
// ErrUnsynced, the file is there; after any other error, path is unchanged.
func (p *Pending) Place(how Placement) error {
	if err := how(p.files, p.temp.Name(), p.path); err != nil {
		return naming(p.path, err)
	}
	if err := p.files.SyncDir(filepath.Dir(p.path)); err != nil {
		err = fmt.Errorf("%s is written, but might not survive a power failure: %w", p.path, err)
		return hint.With(hint.Kind(ErrUnsynced, err), "the file is there: do not make it again")
	}
	return nil
}

// Discard removes the file if it was not placed.
func (p *Pending) Discard() {
	p.temp.Close()
	_ = p.files.Remove(p.temp.Name())
}

// Placement is a way to give a file its name.
type Placement func(files FS, from, to string) error

// Replace replaces the file with that name, if there is one.
func Replace(files FS, from, to string) error { return files.Rename(from, to) }

// Link takes a free name, on file systems with links. It returns fs.ErrExist.
func Link(files FS, from, to string) error {
	err := files.Link(from, to)
	if err == nil {
		// Before the folder is synced, so that no second copy of a secret reappears.
		_ = files.Remove(from)
	}
	return err
}

// New takes a free name. It returns fs.ErrExist. Without links, as on memory cards, an empty file
// takes the name first.
func New(files FS, from, to string) error {
	err := Link(files, from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	taken, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	taken.Close()
	if err := files.Rename(from, to); err != nil {
		return errors.Join(err, files.Remove(to))
	}
	return nil
}

// ErrUnsynced is returned for a file that is complete, but may be lost in a power failure.
var ErrUnsynced = errors.New("the file might not survive a power failure")

// MkdirAll creates a folder that only its owner may enter, whatever the umask, and its parents. New
// folders survive a power failure; an existing one is left as it is.
func MkdirAll(files FS, path string) error {
	err := files.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := MkdirAll(files, filepath.Dir(path)); err != nil {
			return err
		}
		err = files.Mkdir(path, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		info, statErr := os.Stat(path)
		if statErr == nil && !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
		}
		return statErr
	} else if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return err
	}
	return files.SyncDir(filepath.Dir(path))
}
