package transport

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// A server that refuses each request over HTTP/2, as one that shuts down does, is not dialled again without an end.
func TestAServerThatTakesNoRequest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	var dialled atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			dialled.Add(1)
			go refuse(conn)
		}
	}()
	kept := New()
	kept.Proxy = nil
	kept.Protocols = new(http.Protocols)
	kept.Protocols.SetUnencryptedHTTP2(true)
	defer kept.CloseIdleConnections()
	client := &http.Client{Transport: kept}
	for asked := range int32(2) {
		_, err := client.Post("http://"+listener.Addr().String(), "application/json", strings.NewReader("{}"))
		require.ErrorIs(t, err, ErrRefused)
		require.Equal(t, connections*(asked+1), dialled.Load())
	}
}

// refuse answers each request on a connection with the end of the connection, before it has begun.
func refuse(conn net.Conn) {
	defer conn.Close()
	_, _ = io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface)))
	framer := http2.NewFramer(conn, conn)
	_ = framer.WriteSettings()
	for frame, err := framer.ReadFrame(); err == nil; frame, err = framer.ReadFrame() {
		if _, ok := frame.(*http2.HeadersFrame); ok {
			_ = framer.WriteGoAway(0, http2.ErrCodeNo, nil)
		}
	}
}
