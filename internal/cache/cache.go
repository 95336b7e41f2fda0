// Package cache writes files that are only quicker to have. Losing one costs nothing, so that
// nothing is synced; internal/durable has what must survive.
package cache

import (
	"os"
	"path/filepath"
)

// Replace writes a file that only its owner can read, with its folder. Others may be reading
// it: they find it whole, or as it was.
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
