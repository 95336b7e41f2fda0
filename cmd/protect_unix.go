//go:build unix && !linux

package cmd

import "golang.org/x/sys/unix"

// protect keeps the process's memory, which is to hold keys, out of core files. It is
// called before any key is read.
func protect() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }
