package agent

import "golang.org/x/sys/unix"

// peerUID returns the user at the other end of a socket, as of its connection.
func peerUID(fd int) (int, error) {
	peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(peer.Uid), nil
}
