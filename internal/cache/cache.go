// Package cache writes files that only save time, or are soon written again. Losing one costs
// nothing, so nothing is synced; internal/durable is for files that must survive.
package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pmctl/pmctl/internal/input"
)

// Replace writes a file that only its owner can read, as Swap does, creating its folder.
func Replace(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return Swap(path, data, 0o600)
}

// Swap replaces a file in one step, for users as mode says. Readers see the old file or the new one.
// Its errors do not name the file: the caller has its name, and that of the temporary file means nothing to a user.
func Swap(path string, data []byte, mode os.FileMode) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return input.ErrFolder
	}
	err := swap(path, data, mode)
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	} else if failed, ok := errors.AsType[*os.LinkError](err); ok {
		return failed.Err
	}
	return err
}

func swap(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
