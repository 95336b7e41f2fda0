//go:build unix

package keystore

import "io/fs"

// OthersMayRead tells whether a file's group or everybody may read it.
func OthersMayRead(mode fs.FileMode) bool { return mode.Perm()&0o044 != 0 }
