//go:build unix && !linux

package access

import "io/fs"

// Others says who, beside the file's owner, this process's user and root, may read the
// file at path, such as "its group (mode 0640)". It returns "" when there is no such
// user. info is what os.Stat says of the file.
func Others(_ string, info fs.FileInfo) string { return byMode(info.Mode()) }
