//go:build !unix

package keystore

import "io/fs"

// OthersMayRead is false where a mode does not tell who may read a file.
func OthersMayRead(fs.FileMode) bool { return false }
