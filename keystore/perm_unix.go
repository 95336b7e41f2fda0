//go:build unix

package keystore

import "io/fs"

// othersMayRead tells whether a file's group or everybody may read it.
func othersMayRead(mode fs.FileMode) bool { return mode.Perm()&0o044 != 0 }
