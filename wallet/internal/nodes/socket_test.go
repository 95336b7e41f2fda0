package nodes

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// slowWriter is a connection whose Write returns when the link over it is lost.
type slowWriter struct {
	net.Conn
	link *link // nil during the handshake
}

func (w *slowWriter) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if w.link != nil {
		<-w.link.lost
	}
	return n, err
}

// TestTheLastAnswerOfANode that closes its connection counts. By the time that it is looked at both
// have happened, and the answer comes first each time.
func TestTheLastAnswerOfANode(t *testing.T) {
	const answer = `{"jsonrpc":"2.0","id":7,"result":"0x1"}`
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		if _, _, err := conn.ReadMessage(); err == nil {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(answer))
		}
	}))
	defer node.Close()
	for range 20 {
		var writer *slowWriter
		dialer := websocket.Dialer{NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			writer = &slowWriter{Conn: conn}
			return writer, err
		}}
		conn, _, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(node.URL, "http"), nil)
		require.NoError(t, err)
		l := &link{conn: conn, lost: make(chan struct{})}
		writer.link = l
		go l.read()
		text, err := l.ask(t.Context(), &question{first: 7, count: 1, answer: make(chan []byte, 1)}, []byte(`{}`))
		require.NoError(t, err)
		require.JSONEq(t, answer, string(text))
	}
}
