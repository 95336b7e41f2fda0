//go:build !unix

package access

import "io/fs"

// Known is whether Others can tell.
const Known = false

// Others returns "": on this system a mode does not tell who may read a file.
func Others(string, fs.FileInfo) string { return "" }
