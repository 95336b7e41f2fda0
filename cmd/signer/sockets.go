package signer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/systemd"
	"github.com/pmctl/pmctl/wallet/remote/service"
)

// adminSocket is the FileDescriptorName of the admin listener's socket.
const adminSocket = "admin"

// passed are the sockets that the service manager passed on; nil for those that it did not.
type passed struct{ signer, admin net.Listener }

// take takes the sockets over, and their addresses in the place of the flags'.
func (o *serveOptions) take(r *cli.Run, cmd *cobra.Command) (*passed, error) {
	sockets, err := systemd.Sockets(r.Getenv)
	if err != nil {
		return nil, err
	}
	p := new(passed)
	for _, socket := range sockets {
		to, flag, address := &p.signer, "listen", &o.listen
		if socket.Name == adminSocket {
			to, flag, address = &p.admin, "admin-listen", &o.admin.listen
		}
		switch {
		case *to != nil:
			err = cli.Usage(cli.WithHint(fmt.Errorf("the service manager passed on more than one socket for --%s", flag), "each listener has one socket: pass one ListenStream for clients, and one with FileDescriptorName=%s for operators", adminSocket))
		case cmd.Flags().Changed(flag):
			err = cli.Usagef("--%s and a socket of the service manager exclude each other", flag)
		}
		*to, *address = socket.Listener, service.Address(socket.Listener)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *passed) close() {
	for _, l := range []net.Listener{p.signer, p.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// listen opens a listener, unless it was passed on.
func listen(ctx context.Context, was net.Listener, address string) (net.Listener, error) {
	if was != nil {
		return was, nil
	}
	if strings.HasPrefix(address, service.Socket) {
		return nil, cli.Usagef("%q is not host:port", address)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		err = failed.Err // which does not repeat the address
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return listener, nil
}
