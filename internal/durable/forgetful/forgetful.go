// Package forgetful is a file system for tests that forgets, at a power failure, whatever
// was not synced: the content of files and the names in folders.
package forgetful

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/pmctl/pmctl/internal/durable"
)

// FS is the part of the system's files below a folder. What is written past it, or was
// there before, counts as synced only when its folder is.
type FS struct {
	durable.OS
	root string

	mu sync.Mutex
	// contents are those of synced files.
	contents []content
	// names are those of synced folders, by the folder's path.
	names map[string]map[string]fs.FileInfo
}

type content struct {
	file fs.FileInfo
	data []byte
}

// Below returns the files below a folder, which is empty.
func Below(root string) *FS {
	return &FS{root: root, names: map[string]map[string]fs.FileInfo{}}
}

// CreateTemp makes a file whose content is lost unless it is synced.
func (f *FS) CreateTemp(dir, pattern string) (durable.File, error) {
	file, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keep(info, nil) // the number of one that was removed may be used again
	return syncedFile{file, f}, nil
}

type syncedFile struct {
	*os.File
	files *FS
}

// Sync keeps the content as it is.
func (s syncedFile) Sync() error {
	data, err := os.ReadFile(s.Name())
	if err != nil {
		return err
	}
	info, err := s.Stat()
	if err != nil {
		return err
	}
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	s.files.keep(info, data)
	return nil
}

// keep replaces what is kept of a file. The caller holds the lock.
func (f *FS) keep(file fs.FileInfo, data []byte) {
	for i := range f.contents {
		if os.SameFile(f.contents[i].file, file) {
			f.contents[i] = content{file, data}
			return
		}
	}
	f.contents = append(f.contents, content{file, data})
}

// SyncDir keeps the names in a folder as they are.
func (f *FS) SyncDir(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	names := make(map[string]fs.FileInfo)
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		names[entry.Name()] = info
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names[filepath.Clean(path)] = names
	return nil
}

// LosePower leaves below the folder only what was synced.
func (f *FS) LosePower() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries, err := os.ReadDir(f.root)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(f.root, entry.Name())); err != nil {
			return err
		}
	}
	return f.restore(f.root)
}

func (f *FS) restore(dir string) error {
	for name, info := range f.names[filepath.Clean(dir)] {
		path := filepath.Join(dir, name)
		if info.IsDir() {
			if err := os.Mkdir(path, info.Mode().Perm()); err != nil {
				return err
			}
			if err := f.restore(path); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(path, f.synced(info), info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

func (f *FS) synced(file fs.FileInfo) []byte {
	for _, c := range f.contents {
		if os.SameFile(c.file, file) {
			return c.data
		}
	}
	return nil
}
