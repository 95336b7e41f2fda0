//go:build !unix

package access

import "io/fs"

// Others returns "": on this system a mode does not tell who may read a file.
func Others(string, fs.FileInfo) string { return "" }
