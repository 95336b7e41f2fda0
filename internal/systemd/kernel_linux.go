package systemd

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// monotonic is the variable with the time since the machine started, "" if that is not known.
func monotonic() string {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return ""
	}
	return fmt.Sprintf("\nMONOTONIC_USEC=%d", now.Nano()/1000)
}

// accepts reports whether connections can be made to a socket: net.FileListener takes any.
func accepts(socket *os.File) bool {
	listening, err := unix.GetsockoptInt(int(socket.Fd()), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	return err == nil && listening != 0
}
