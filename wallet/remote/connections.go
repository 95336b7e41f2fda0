package remote

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many connections a server has. When there are too many, the one that
// has waited longest is closed: first those that never sent a whole request, then those that are
// idle after one. So connections that are opened and left alone keep no client out.
type connections struct {
	most int

	mu    sync.Mutex
	known map[net.Conn]*connection
	// fresh have not sent a request yet, idle have; the longest waiting are in front.
	fresh, idle list.List
}

type connection struct {
	serving int
	// list and place are where it waits; nil while it is served.
	list  *list.List
	place *list.Element
}

// limit bounds the connections of a server to so many.
func limit(server *http.Server, l net.Listener, most int) net.Listener {
	c := &connections{most: most, known: make(map[net.Conn]*connection)}
	handler := server.Handler
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, conn)
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			c.forget(conn)
		}
	}
	server.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		conn, _ := r.Context().Value(connectionKey{}).(net.Conn)
		c.serve(conn, 1)
		defer c.serve(conn, -1)
		handler.ServeHTTP(rw, r)
	})
	return limitedListener{l, c}
}

type connectionKey struct{}

type limitedListener struct {
	net.Listener
	connections *connections
}

// Accept implements net.Listener.
func (l limitedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.connections.add(conn)
	}
	return conn, err
}

// add notes a new connection. If there are enough it closes the one that has waited longest; the
// new one, if all are served.
func (c *connections) add(conn net.Conn) {
	c.mu.Lock()
	var ended net.Conn
	if len(c.known) >= c.most {
		ended = c.longestWaiting()
		c.remove(ended)
	}
	if ended == nil && len(c.known) >= c.most {
		ended = conn
	} else {
		added := new(connection)
		added.wait(&c.fresh, conn)
		c.known[conn] = added
	}
	c.mu.Unlock()
	if ended != nil {
		_ = ended.Close() // whatever it says, the connection has ended
	}
}

// longestWaiting is the connection that is closed first, nil if all are served.
func (c *connections) longestWaiting() net.Conn {
	for _, waiting := range []*list.List{&c.fresh, &c.idle} {
		if first := waiting.Front(); first != nil {
			return first.Value.(net.Conn)
		}
	}
	return nil
}

func (c *connections) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(conn)
}

func (c *connections) remove(conn net.Conn) {
	if known := c.known[conn]; known != nil {
		known.wait(nil, conn)
		delete(c.known, conn)
	}
}

// serve counts requests that are served on a connection, which does not wait meanwhile.
func (c *connections) serve(conn net.Conn, more int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.known[conn]
	if known == nil {
		return // it was closed
	}
	if known.serving += more; known.serving > 0 {
		known.wait(nil, conn)
	} else {
		known.wait(&c.idle, conn)
	}
}

// wait puts the connection at the end of a list; nil is none.
func (k *connection) wait(in *list.List, conn net.Conn) {
	if k.list != nil {
		k.list.Remove(k.place)
	}
	if k.list = in; in != nil {
		k.place = in.PushBack(conn)
	}
}
