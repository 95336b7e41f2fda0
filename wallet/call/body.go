package call

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"
)

// maxReplay is how much of a body is kept that went out before the orchestrator asked for
// payment, in bytes.
const maxReplay = 1 << 20

// ErrBodySent is returned for a body of which more was sent before the orchestrator asked for
// payment than is kept to be sent again.
var ErrBodySent = errors.New("the orchestrator read more than 1 MiB of the request's body before it asked for payment")

// Body is a request's body, which is read once. What the unpaid request has sent of it, the paid
// one sends again.
type Body struct {
	// Size is its length in bytes, -1 where that is not known.
	Size int64

	// digest is that of a body whose bytes are known.
	digest string

	mu   sync.Mutex
	from io.Reader
	// sent is what the unpaid request has read; paid tells that it reads no more.
	sent bytes.Buffer
	paid bool
}

// NewBody returns a body that is read from r while it is sent; size is -1 if it is not known.
func NewBody(r io.Reader, size int64) *Body { return &Body{Size: size, from: r} }

// BytesBody returns a body of these bytes.
func BytesBody(data []byte) *Body {
	sum := sha256.Sum256(data)
	b := NewBody(bytes.NewReader(data), int64(len(data)))
	b.digest = hex.EncodeToString(sum[:])
	return b
}

// bodyReader reads a body from its begin.
type bodyReader struct {
	*Body
	paid bool
	at   int // how much was read
}

// unpaidReader and paidReader return the body from its begin, once each and in this order.
func (b *Body) unpaidReader() io.ReadCloser { return io.NopCloser(&bodyReader{Body: b}) }

func (b *Body) paidReader() io.ReadCloser { return io.NopCloser(&bodyReader{Body: b, paid: true}) }

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
