package pgtest

import (
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// pattern is how the folders are named.
const pattern = "pmctl-postgres-*"

// settled is how old a folder is that can be one of a killed test binary: a new one has no lock yet.
const settled = time.Hour

// newFolder creates the folder of a server's files in parent. Its lock ends with the test binary, however
// that ends: folders of others there, or among temporary files, that have none are removed.
func newFolder(parent string) (string, *flock.Flock, error) {
	for _, folder := range []string{parent, os.TempDir()} { // memory may have had no room for theirs
		left, _ := filepath.Glob(filepath.Join(folder, pattern)) // which is well-formed
		for _, dir := range left {
			removeDead(dir)
		}
	}
	dir, err := os.MkdirTemp(parent, pattern)
	if err != nil {
		return "", nil, err
	}
	lock := lockOf(dir)
	return dir, lock, lock.Lock()
}

// removeDead removes a folder whose test binary has ended.
func removeDead(dir string) {
	info, err := os.Stat(dir)
	if err != nil || time.Since(info.ModTime()) < settled {
		return
	}
	lock := lockOf(dir)
	defer lock.Close()
	if dead, err := lock.TryLock(); err == nil && dead {
		_ = os.RemoveAll(dir)
	}
}

func lockOf(dir string) *flock.Flock { return flock.New(filepath.Join(dir, "lock")) }
