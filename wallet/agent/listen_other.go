//go:build !linux && !darwin

package agent

import (
	"context"
	"net"
	"net/http"
)

// Socket cannot be had here.
type Socket struct{}

// Listen fails with ErrUnsupported.
func Listen(string) (*Socket, error) { return nil, ErrUnsupported }

// Serve fails with ErrUnsupported.
func (*Socket) Serve(context.Context, http.Handler) error { return ErrUnsupported }

// Close does nothing.
func (*Socket) Close() {}

func checkPeer(net.Conn) error { return ErrUnsupported }

// AwaitEnd fails with ErrUnsupported.
func AwaitEnd(string) error { return ErrUnsupported }
