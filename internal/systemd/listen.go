package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// firstSocket is the descriptor of the first socket that a manager passes on.
const firstSocket = 3

// errNotListening is a socket that is bound alone, or that of a connection.
var errNotListening = errors.New("it does not listen; a socket unit must have ListenStream, and Accept=no")

// Socket is a listening socket that the manager opened.
type Socket struct {
	// Name is its FileDescriptorName, by default the name of its unit.
	Name string

	net.Listener
}

// Sockets takes over the sockets that the variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES
// name; none if they are for another process.
func Sockets(getenv func(string) string) ([]Socket, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	count, err := strconv.ParseUint(getenv("LISTEN_FDS"), 10, 8)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS is %q, not the number of sockets", getenv("LISTEN_FDS"))
	}
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	var sockets []Socket
	for i := range int(count) {
		name := ""
		if i < len(names) {
			name = names[i]
		}
		file := os.NewFile(uintptr(firstSocket+i), name)
		accepting := accepts(file)
		listener, err := net.FileListener(file) // a copy, which no child process inherits
		_ = file.Close()
		if err == nil && !accepting {
			_ = listener.Close()
			err = errNotListening
		}
		if err != nil {
			for _, socket := range sockets {
				_ = socket.Close()
			}
			return nil, fmt.Errorf("the service manager passed on descriptor %d (%s), which is no socket to listen on: %w", firstSocket+i, name, err)
		}
		sockets = append(sockets, Socket{name, listener})
	}
	return sockets, nil
}
