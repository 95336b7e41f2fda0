package documents

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
)

// Serve checks the documents that programs send, until the listener is closed: each sends a JSON
// object with stream, whole and kinds as Conform takes them, and nothing behind it, and reads "ok" or
// what is wrong.
func Serve(l net.Listener) error {
	var under sync.WaitGroup
	defer under.Wait()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		under.Go(func() {
			defer conn.Close()
			_, _ = io.WriteString(conn, verdict(conn))
		})
	}
}

func verdict(asked io.Reader) string {
	var q struct {
		Stream []byte
		Whole  bool
		Kinds  string
	}
	err := json.NewDecoder(asked).Decode(&q)
	if err == nil {
		err = Conform(q.Stream, q.Whole, q.Kinds)
	}
	if err != nil {
		return err.Error()
	}
	return "ok"
}
