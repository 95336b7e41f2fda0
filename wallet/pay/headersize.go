package pay

import (
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

// DefaultMaxHeader is how many bytes the header of a payment's HTTP request has at most
// where nothing else is known: servers and proxies with default settings take 8 KB.
const DefaultMaxHeader = 8000

// MinMaxHeader is the least that can be asked for. A delivery of one ticket with its
// credentials takes about as much.
const MinMaxHeader = 1000

// HeaderLimits are how large a payment's HTTP header may be, by recipient. A payment is a
// header, and a proxy before a recipient may take less than the recipient does. A nil
// HeaderLimits has the default for all and learns nothing.
type HeaderLimits struct {
	// Asked is the limit for every recipient, in bytes; 0 is what is known of each.
	Asked int

	// File remembers what was learnt from one run to the next; "" for no file. What cannot
	// be read or written there is learnt again.
	File string

	mu      sync.Mutex
	read    bool
	known   map[string]headerLimit // by URL
	refused map[string]bool        // those that were found too large in this run
}

// headerLimit is what one recipient takes, and when that was found out.
type headerLimit struct {
	Bytes int       `json:"bytes"`
	Found time.Time `json:"found"`
}

// headerLimitAge is how long a limit is remembered: proxies' settings change.
const headerLimitAge = 30 * 24 * time.Hour

// For is the limit for the recipient that takes payments at u, in bytes.
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
	case l.refused[u.String()]:
		return known.Bytes
	case l.Asked > 0:
		return l.Asked
	case ok:
		return known.Bytes
	}
	return DefaultMaxHeader
}

// tooLarge learns that a header of so many bytes was not taken.
func (l *HeaderLimits) tooLarge(u URL, size int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if half := max(size/2, MinMaxHeader); half < l.limit(u) {
		if l.refused == nil {
			l.refused = make(map[string]bool)
		}
		l.refused[u.String()] = true
		l.learn(u, half)
	}
}

// taken learns that a header of so many bytes has reached the recipient.
func (l *HeaderLimits) taken(u URL, size int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load()
	known := DefaultMaxHeader
	if limit, ok := l.known[u.String()]; ok {
		known = limit.Bytes
	}
	if size > known {
		l.learn(u, size)
	}
}

func (l *HeaderLimits) learn(u URL, size int) {
	l.known[u.String()] = headerLimit{size, time.Now().UTC()}
	l.save()
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

// save writes the file, if there is to be one.
func (l *HeaderLimits) save() {
	if l.File == "" {
		return
	}
	if text, err := json.Marshal(l.known); err == nil {
		_ = cache.Replace(l.File, text)
	}
}

// endsTooLarge tells whether a connection that failed did so over a header of so many bytes:
// the HTTP client keeps to what the other side has announced that it takes (RFC 9113,
// 6.5.2), and servers end a connection whose header they will not even decode: Go's with
// COMPRESSION_ERROR, nginx with ENHANCE_YOUR_CALM, which small headers can get for other
// reasons. None of this has a type.
func endsTooLarge(err error, size int) bool {
	text := err.Error()
	return strings.Contains(text, "request header list larger than peer's advertised limit") || strings.Contains(text, "COMPRESSION_ERROR") ||
		size > smallHeader && strings.Contains(text, "ENHANCE_YOUR_CALM")
}

// smallHeader is taken by every server.
const smallHeader = 4000

// isTooLarge tells whether an answer says that the request's header is too large, as
// servers and proxies do in these ways.
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

// fieldOverhead is what a field of a header takes beside its name and its value, as
// RFC 9113 counts it; HTTP/1.1 takes less.
const fieldOverhead = 32

// restOfHeader is what the fields take together that a payment has beside its own and the
// host: the method, the path, and what the HTTP client adds.
const restOfHeader = 300

// size is how many bytes the header of the request has that delivers the payment at u.
func (h Headers) size(u URL) int {
	return sizeOfRest(u, h.Segment) + len(wire.PaymentHeader) + len(h.Payment) + fieldOverhead
}

func sizeOfRest(u URL, segment string) int {
	return restOfHeader + len(u.host) + fieldOverhead + len(wire.SegmentHeader) + len(segment) + fieldOverhead
}

// fit is how many tickets fit in a delivery at u, with a segment header: at least 1, which is
// the least that can be sent. Shared has what all of them share, highest is their highest
// nonce. It is known before anything is signed, since signatures are all as long.
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

// wideNonce has as many bytes as any nonce of a recipient that takes 600 tickets.
const wideNonce = 1<<14 - 1

// sigBytes is how long a ticket's signature is.
const sigBytes = 65
