package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// FS is the file system of durable writes. OS is the system's; tests have one that forgets what was
// not synced.
type FS interface {
	// CreateTemp creates a file of mode 0600 under a new name in a folder.
	CreateTemp(dir, pattern string) (File, error)

	// Link gives a file a second name, which must be free.
	Link(from, to string) error

	// Rename moves a file to a name, replacing an existing file.
	Rename(from, to string) error

	// Remove removes a name.
	Remove(path string) error

	// Mkdir creates a folder.
	Mkdir(path string, mode fs.FileMode) error

	// SyncDir makes the names in a folder survive a power failure, if the file system supports
	// that.
	SyncDir(path string) error
}

// File is an open file of an FS.
type File interface {
	io.Writer
	Name() string
	Chmod(fs.FileMode) error
	// Sync makes the content survive a power failure.
	Sync() error
	Close() error
}

// OS is the file system of the operating system.
type OS struct{}

// CreateTemp is os.CreateTemp.
func (OS) CreateTemp(dir, pattern string) (File, error) {
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Link is os.Link.
func (OS) Link(from, to string) error { return os.Link(from, to) }

// Rename is os.Rename.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove is os.Remove.
func (OS) Remove(path string) error { return os.Remove(path) }

// Mkdir is os.Mkdir.
func (OS) Mkdir(path string, mode fs.FileMode) error { return os.Mkdir(path, mode) }

// SyncDir syncs a folder. It does not fail if the system cannot sync folders, or this one cannot be
// read.
func (OS) SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
