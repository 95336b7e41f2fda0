//go:build !windows

package neterr

import "syscall"

// How the system ends connections. TimedOut is its own time-out, Reset the other side's end.
const (
	refused   = syscall.ECONNREFUSED
	noNetwork = syscall.ENETUNREACH
	noHost    = syscall.EHOSTUNREACH
	TimedOut  = syscall.ETIMEDOUT
	Reset     = syscall.ECONNRESET
	broken    = syscall.EPIPE
	tooMany   = syscall.EMFILE
	noPort    = syscall.EADDRNOTAVAIL
)
