package neterr

import "golang.org/x/sys/windows"

// How the system ends connections. TimedOut is its own time-out, Reset the other side's end. Package
// syscall has these names, too, with numbers that Windows never returns.
const (
	refused   = windows.WSAECONNREFUSED
	noNetwork = windows.WSAENETUNREACH
	noHost    = windows.WSAEHOSTUNREACH
	TimedOut  = windows.WSAETIMEDOUT
	Reset     = windows.WSAECONNRESET
	broken    = windows.WSAECONNABORTED
	tooMany   = windows.WSAEMFILE
	noPort    = windows.WSAEADDRNOTAVAIL
)
