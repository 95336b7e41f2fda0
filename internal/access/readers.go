package access

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Readers names the other users who can read a secret file, "" where only its owner can. In one
// of the private folders a file may have any mode, as long as other users cannot enter the folder:
// a service manager's credentials, for example.
func Readers(path string, info fs.FileInfo, private ...string) string {
	others := Others(path, info)
	if others == "" || within(path, private) {
		return ""
	}
	return others
}

// within reports whether a file is in one of the folders, and the folder is private.
func within(path string, folders []string) bool {
	for _, folder := range folders {
		if folder == "" || filepath.Dir(filepath.Clean(path)) != filepath.Clean(folder) {
			continue
		}
		info, err := os.Stat(folder)
		if err == nil && info.IsDir() && info.Mode().Perm()&0o007 == 0 && Others(folder, info) == "" {
			return true
		}
	}
	return false
}
