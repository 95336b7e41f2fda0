//go:build !linux && !darwin

package agent

import (
	"context"
	"net"
	"net/http"
)

// Socket is not available on this system.
type Socket struct{}

// Listen returns ErrUnsupported.
func Listen(string) (*Socket, error) { return nil, ErrUnsupported }

// Serve returns ErrUnsupported.
func (*Socket) Serve(context.Context, http.Handler) error { return ErrUnsupported }

// Close does nothing.
func (*Socket) Close() {}

func checkPeer(net.Conn) error { return ErrUnsupported }

// AwaitEnd returns ErrUnsupported.
func AwaitEnd(string) error { return ErrUnsupported }
