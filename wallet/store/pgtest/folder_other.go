//go:build !linux

package pgtest

import "os"

// parentFolder is where the folders of servers are.
func parentFolder() string { return os.TempDir() }
