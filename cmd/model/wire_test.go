package model

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// switchboard connects clients to servers in this process without the system's network: a
// synctest bubble's clock stands still while one of its goroutines waits for that.
type switchboard struct{ lines sync.Map }

// installSwitchboard makes all HTTP clients that are created before the test ends dial through
// a switchboard.
func installSwitchboard(t *testing.T) *switchboard {
	t.Helper()
	s := new(switchboard)
	system := http.DefaultTransport
	http.DefaultTransport = &http.Transport{DialContext: s.dial}
	t.Cleanup(func() { http.DefaultTransport = system })
	return s
}

func (s *switchboard) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	name := host[strings.LastIndex(host, ".")+1:]
	found, ok := s.lines.Load(name)
	if !ok {
		return nil, fmt.Errorf("nothing listens at %s", address)
	}
	line, ok := found.(*line)
	if !ok {
		return nil, fmt.Errorf("%T is not a line", found)
	}
	near, far := net.Pipe()
	select {
	case line.calls <- far:
		return near, nil
	case <-line.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// listen opens the line for hosts with a suffix.
func (s *switchboard) listen(name string) *line {
	l := &line{name: name, calls: make(chan net.Conn), closed: make(chan struct{})}
	s.lines.Store(name, l)
	return l
}

func (s *switchboard) hangUp(l *line) { s.lines.Delete(l.name) }

// line is a net.Listener.
type line struct {
	name   string
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Accept implements net.Listener.
func (l *line) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *line) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *line) Addr() net.Addr { return &net.UnixAddr{Name: l.name, Net: "model"} }
