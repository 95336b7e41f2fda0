// Package cache writes files that only save time. Losing one costs nothing, so nothing is synced;
// internal/durable is for files that must survive.
package cache

import (
	"os"
	"path/filepath"
)

// Replace writes a file that only its owner can read, creating its folder. Concurrent readers see
// the old file or the new one.
func Replace(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
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
