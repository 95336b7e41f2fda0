//go:build unix && !linux

package access

import "io/fs"

// Others returns who may read the file at path besides its owner, this process's user and root,
// such as "its group (mode 0640)"; "" for no other user. info is the file's os.Stat.
func Others(_ string, info fs.FileInfo) string { return byMode(info.Mode()) }
