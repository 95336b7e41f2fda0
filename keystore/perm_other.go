//go:build !unix

package keystore

import "io/fs"

// othersMayRead is false where a mode does not tell who may read a file.
func othersMayRead(fs.FileMode) bool { return false }
