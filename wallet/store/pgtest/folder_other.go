//go:build !linux

package pgtest

import "os"

// newFolder creates the folder of a server's files.
func newFolder() (string, error) { return os.MkdirTemp("", "pmctl-postgres-") }
