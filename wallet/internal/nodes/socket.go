package nodes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/gorilla/websocket"
)

// overSocket asks one node over a lasting connection, and opens another if it is lost.
type overSocket struct {
	judge
	url *url.URL

	mu     sync.Mutex
	link   *link // nil before the first one
	closed bool
}

func (o *overSocket) exchange(ctx context.Context, elems []rpc.BatchElem) ([]answer, *NodeError) {
	body, first, fault := o.request(elems)
	if fault != nil {
		return nil, fault
	}
	l, err := o.connected(ctx)
	if err != nil {
		return nil, noConnection(o.shown, err)
	}
	text, err := l.ask(ctx, &question{first: first, count: uint64(len(elems)), answer: make(chan []byte, 1)}, body)
	if err != nil {
		return nil, noConnection(o.shown, o.secrets.clean(err))
	}
	return o.read(&http.Response{StatusCode: http.StatusOK}, text, elems, first)
}

// connected returns the connection, a new one if it was lost.
func (o *overSocket) connected(ctx context.Context) (*link, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, errClosed
	}
	if o.link != nil && !o.link.isLost() {
		return o.link, nil
	}
	to, header := *o.url, http.Header{}
	if to.User != nil {
		password, _ := to.User.Password()
		with := http.Request{Header: header}
		with.SetBasicAuth(to.User.Username(), password)
		to.User = nil
	}
	dialer := newDialer()
	conn, res, err := dialer.DialContext(ctx, to.String(), header)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, ctx.Err() // not the connection's error that follows from it
	case res != nil:
		return nil, fmt.Errorf("%w (HTTP status %s)", err, res.Status)
	default:
		return nil, o.secrets.clean(err)
	}
	conn.SetReadLimit(maxAnswer)
	o.link = &link{conn: conn, lost: make(chan struct{})}
	go o.link.read()
	return o.link, nil
}

func (o *overSocket) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.link != nil {
		_ = o.link.conn.Close()
		<-o.link.lost
	}
}

var errClosed = errors.New("the connection was closed")

// link is one connection. Its reader ends with it.
type link struct {
	conn    *websocket.Conn
	writing sync.Mutex

	mu   sync.Mutex
	open []*question
	// lost is closed when the reader ends, for the reason in err.
	lost chan struct{}
	err  error
}

// question is a message that waits for its answer: count requests with IDs from first on.
type question struct {
	first, count uint64
	answer       chan []byte
}

func (l *link) isLost() bool {
	select {
	case <-l.lost:
		return true
	default:
		return false
	}
}

// ask writes a message and waits for its answer. If there is none in time the connection is
// dropped: it may be dead.
func (l *link) ask(ctx context.Context, q *question, body []byte) ([]byte, error) {
	l.mu.Lock()
	l.open = append(l.open, q)
	l.mu.Unlock()
	defer l.drop(q)
	if err := l.write(ctx, body); err != nil {
		_ = l.conn.Close()
		return nil, err
	}
	var err error
	select {
	case text := <-q.answer:
		return text, nil
	case <-l.lost:
		err = l.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	select {
	case text := <-q.answer: // of several that are ready, select takes any
		return text, nil
	default:
	}
	if errors.Is(err, context.DeadlineExceeded) {
		_ = l.conn.Close()
	}
	return nil, err
}

func (l *link) write(ctx context.Context, body []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	ends, _ := ctx.Deadline() // the zero time is no deadline
	if err := l.conn.SetWriteDeadline(ends); err != nil {
		return err
	}
	return l.conn.WriteMessage(websocket.TextMessage, body)
}

func (l *link) drop(q *question) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = slices.DeleteFunc(l.open, func(other *question) bool { return other == q })
}

// read passes each message to the question that it answers, until the connection ends.
func (l *link) read() {
	defer close(l.lost)
	defer l.conn.Close()
	for {
		_, text, err := l.conn.ReadMessage()
		if err != nil {
			l.err = err
			return
		}
		for _, q := range l.answered(text) {
			select {
			case q.answer <- text:
			default: // it has one already
			}
		}
	}
}

// answered returns the questions that a message answers. An error without a request ID is about
// a batch, since a single request's ID would be in it: if several batches wait it may be about
// any, and all are sent again in smaller ones.
func (l *link) answered(text []byte) []*question {
	l.mu.Lock()
	defer l.mu.Unlock()
	responses, err := parseResponses(text)
	if err != nil {
		return slices.Clone(l.open) // they will report that this is no answer
	}
	for _, r := range responses {
		id, ok := r.number()
		if !ok {
			continue
		}
		at := slices.IndexFunc(l.open, func(q *question) bool { return id >= q.first && id-q.first < q.count })
		if at < 0 {
			return nil // of one that no longer waits
		}
		return []*question{l.open[at]}
	}
	batches := slices.DeleteFunc(slices.Clone(l.open), func(q *question) bool { return q.count == 1 })
	if len(batches) == 0 {
		return slices.Clone(l.open)
	}
	return batches
}
