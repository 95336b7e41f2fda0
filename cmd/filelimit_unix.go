//go:build unix

package cmd

import (
	"os/signal"
	"syscall"
)

// outliveFileLimit has a write beyond ulimit -f fail, as one on a full disk does, where
// the signal would end the process.
func outliveFileLimit() { signal.Ignore(syscall.SIGXFSZ) }
