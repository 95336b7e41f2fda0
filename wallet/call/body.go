package call

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"

	"github.com/pmctl/pmctl/internal/hint"
)

// maxReplay is how much of a body is kept that went out before the orchestrator asked for
// payment, in bytes.
const maxReplay = 1 << 20

var (
	// ErrBodySent is returned for a body of which more was sent before the orchestrator asked for
	// payment than is kept to be sent again.
	ErrBodySent = hint.With(errors.New("the orchestrator read more than 1 MiB of the request's body before it asked for payment"),
		"pass --request-id ID: pmctl then keeps the whole body, of at most 16 MiB, to send it again")

	// ErrBodyOnce is returned for a body of NewBody in a request that may be sent again.
	ErrBodyOnce = errors.New("the request's body can be read only once: use BytesBody for a request that is called again or has a request ID")
)

// Body is a request's body. One of BytesBody, such as the zero value, is the same for each call. One
// of NewBody is read once: what the unpaid request has sent of it, the paid one sends again.
type Body struct {
	// Size is its length in bytes, -1 where that is not known.
	Size int64

	// whole are the bytes of a body that is the same for each call.
	whole []byte

	mu sync.Mutex
	// from is what a body is read from once; nil for one that is whole.
	from io.Reader
	// sent is what the unpaid request has read; paid reports whether it reads no more.
	sent bytes.Buffer
	paid bool
}

// NewBody returns a body that is read from r while it is sent, for one call; size is -1 if it is not
// known.
func NewBody(r io.Reader, size int64) *Body {
	if r == nil {
		return new(Body)
	}
	return &Body{Size: size, from: r}
}

// BytesBody returns a body of these bytes.
func BytesBody(data []byte) *Body { return &Body{Size: int64(len(data)), whole: data} }

// Repeats reports whether the body is the same for each call.
func (b *Body) Repeats() bool { return b.from == nil }

// digest identifies a body that repeats.
func (b *Body) digest() string {
	if !b.Repeats() {
		return ""
	}
	sum := sha256.Sum256(b.whole)
	return hex.EncodeToString(sum[:])
}

// check fails with ErrBodyOnce for a body that a paid request has read.
func (b *Body) check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.paid {
		return ErrBodyOnce
	}
	return nil
}

// bodyReader reads a body from its begin.
type bodyReader struct {
	*Body
	paid bool
	at   int // how much was read
}

// reader returns the body from its begin, for the unpaid request or, after that and once unless it
// repeats, for the paid one.
func (b *Body) reader(paid bool) io.ReadCloser {
	if b.Repeats() {
		return io.NopCloser(bytes.NewReader(b.whole))
	}
	return io.NopCloser(&bodyReader{Body: b, paid: paid})
}

func (r *bodyReader) Read(p []byte) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Body.paid = r.Body.paid || r.paid
	switch {
	case r.at < r.sent.Len():
		n = copy(p, r.sent.Bytes()[r.at:])
	case r.paid:
		n, err = r.from.Read(p)
	case r.Body.paid || r.sent.Len() >= maxReplay:
		return 0, ErrBodySent
	default:
		n, err = r.from.Read(p)
		r.sent.Write(p[:n]) // also where the paid request waits for this read
	}
	r.at += n
	return n, err
}
