package cmd

import (
	"errors"

	"golang.org/x/sys/unix"
)

// protect keeps the process's memory, which is to hold keys, out of core files and from
// other processes of the same user. It is called before any key is read.
func protect() error {
	return errors.Join(
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}),
	)
}
