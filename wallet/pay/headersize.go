package pay

import (
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/cache"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// DefaultMaxHeader is the largest HTTP request header, in bytes, for a payment to a recipient whose
// limit is unknown: servers and proxies accept 8 KB by default.
const DefaultMaxHeader = 8000

// MinMaxHeader is the smallest limit that can be set: about one ticket with its credentials.
const MinMaxHeader = 1000

// HeaderLimits are the HTTP header sizes that recipients accept for payments. A proxy before a
// recipient may accept less than the recipient does. A nil HeaderLimits uses the default and learns
// nothing.
type HeaderLimits struct {
	// Asked is the limit for every recipient, in bytes; 0 uses what is learnt for each.
	Asked int

	// File keeps the learnt limits between runs; "" for no file. An unreadable file is ignored.
	File string

	mu    sync.Mutex
	read  bool
	known map[string]headerLimit // by URL
}

// headerLimit is one recipient's limit, when it was learnt, and whether more was rejected as too
// large in this run.
type headerLimit struct {
	Bytes   int       `json:"bytes"`
	Found   time.Time `json:"found"`
	refused bool
}

// headerLimitAge is how long a limit is kept: proxies change their settings.
const headerLimitAge = 30 * 24 * time.Hour

// For returns the limit for payments at u, in bytes.
func (l *HeaderLimits) For(u URL) int {
	if l == nil {
		return DefaultMaxHeader
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit(u)
}

func (l *HeaderLimits) limit(u URL) int {
	l.load()
	known, ok := l.known[u.String()]
	switch {
	case l.Asked > 0 && !known.refused:
		return l.Asked
	case ok:
		return known.Bytes
	}
	return DefaultMaxHeader
}

// tooLarge records that a header of this size was rejected.
func (l *HeaderLimits) tooLarge(u URL, size int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if half := max(size/2, MinMaxHeader); half < l.limit(u) {
		l.learn(u, half, true)
	}
}

// taken records that a header of this size was accepted.
func (l *HeaderLimits) taken(u URL, size int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load()
	if known := l.known[u.String()]; size > cmp.Or(known.Bytes, DefaultMaxHeader) {
		l.learn(u, size, known.refused)
	}
}

func (l *HeaderLimits) learn(u URL, size int, refused bool) {
	l.known[u.String()] = headerLimit{size, time.Now().UTC(), refused}
	if l.File == "" {
		return
	}
	if text, err := json.Marshal(l.known); err == nil {
		_ = cache.Replace(l.File, text)
	}
}

// load reads the file once.
func (l *HeaderLimits) load() {
	if l.read {
		return
	}
	l.read, l.known = true, make(map[string]headerLimit)
	text, err := os.ReadFile(l.File)
	if err != nil || json.Unmarshal(text, &l.known) != nil {
		l.known = make(map[string]headerLimit)
		return
	}
	for u, limit := range l.known {
		if age := time.Since(limit.Found); limit.Bytes < MinMaxHeader || age < 0 || age > headerLimitAge {
			delete(l.known, u)
		}
	}
}

// endsTooLarge reports whether a connection failed because of a header of this size. The HTTP
// client refuses to exceed the limit that a server announced (RFC 9113, 6.5.2), and servers end a
// connection whose header they do not decode: Go's with COMPRESSION_ERROR, nginx with
// ENHANCE_YOUR_CALM, which small headers can cause for other reasons. These errors have no types.
func endsTooLarge(err error, size int) bool {
	text := err.Error()
	return strings.Contains(text, "request header list larger than peer's advertised limit") || strings.Contains(text, "COMPRESSION_ERROR") ||
		size > smallHeader && strings.Contains(text, "ENHANCE_YOUR_CALM")
}

// smallHeader is accepted by every server.
const smallHeader = 4000

// isTooLarge reports whether an answer rejects the request's header as too large, in one of the
// ways of servers and proxies.
func isTooLarge(status int, text string) bool {
	switch status {
	case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return true
	case http.StatusBadRequest:
		text = strings.ToLower(text)
		return strings.Contains(text, "header") && (strings.Contains(text, "too large") || strings.Contains(text, "too long") || strings.Contains(text, "limit"))
	}
	return false
}

// fieldOverhead is the size of a header field beside its name and value, as RFC 9113 counts it;
// HTTP/1.1 takes less.
const fieldOverhead = 32

// restOfHeader is the size of the fields other than the payment's own and the host: method, path,
// and what the HTTP client adds.
const restOfHeader = 300

// size returns the size of the request header that delivers the payment at u.
func (h Headers) size(u URL) int {
	return sizeOfRest(u, h.Segment) + len(wire.PaymentHeader) + len(h.Payment) + fieldOverhead
}

func sizeOfRest(u URL, segment string) int {
	return restOfHeader + len(u.host) + fieldOverhead + len(wire.SegmentHeader) + len(segment) + fieldOverhead
}

// fit returns how many tickets fit in a delivery at u with a segment header, at least 1. shared has
// what all tickets share, highest is the highest nonce. Signatures have a fixed length, so the
// result is known before signing.
func (l *HeaderLimits) fit(u URL, shared *pm.TicketBatch, highest uint32, segment string) (uint32, error) {
	sized := func(tickets ...*pm.TicketSenderParams) (int, error) {
		batch := *shared
		batch.SenderParams = tickets
		payment, err := wire.PaymentFor(&batch)
		return proto.Size(payment), err
	}
	none, err := sized()
	if err != nil {
		return 0, err
	}
	one, err := sized(&pm.TicketSenderParams{SenderNonce: highest | wideNonce, Sig: make([]byte, sigBytes)})
	if err != nil {
		return 0, err
	}
	room := l.For(u) - sizeOfRest(u, segment) - len(wire.PaymentHeader) - fieldOverhead
	return uint32(max(1, (room/4*3-none)/(one-none))), nil // base64 has 4 characters for 3 bytes
}

// wideNonce has as many bytes as any nonce of a recipient that accepts 600 tickets.
const wideNonce = 1<<14 - 1

// sigBytes is the length of a ticket's signature.
const sigBytes = 65
