package remote

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how often one client may ask.
type Rate struct {
	// PerSecond is the mean; 0 or less is no bound.
	PerSecond float64

	// Burst is how many requests may come at once, at least 1.
	Burst int
}

// Rates bounds how often each client may ask, over all servers that share it. Callers that are no
// client are counted by the address that they ask from: one of them takes nothing from the others. nil
// Rates bound nothing.
type Rates struct {
	Rate
	now func() time.Time

	mu      sync.Mutex
	clients map[string]*rate.Limiter
	// callers are bounded in number: a caller can have many addresses.
	callers recent[netip.Prefix, *rate.Limiter]
}

// NewRates returns the rates of clients of which none has asked yet, by a clock; nil is time.Now.
func NewRates(r Rate, now func() time.Time) *Rates {
	if now == nil {
		now = time.Now
	}
	return &Rates{Rate: r, now: now, clients: make(map[string]*rate.Limiter)}
}

func (r *Rates) bounds() bool { return r != nil && r.PerSecond > 0 }

// admitClient fails with *BusyError for a client that asks too often.
func (r *Rates) admitClient(id string) error {
	if !r.bounds() {
		return nil
	}
	r.mu.Lock()
	limiter := r.clients[id]
	if limiter == nil {
		limiter = r.limiter()
		r.clients[id] = limiter
	}
	r.mu.Unlock()
	return r.admit(limiter)
}

// admitAddress fails with *BusyError for callers that ask too often from an address, host:port or
// that of a socket. The addresses of an IPv6 network count together.
func (r *Rates) admitAddress(address string) error {
	if !r.bounds() {
		return nil
	}
	const network = 64
	var from netip.Prefix // the zero value is for a socket
	if parsed, err := netip.ParseAddrPort(address); err == nil {
		ip := parsed.Addr().Unmap().WithZone("")
		from, _ = ip.Prefix(min(network, ip.BitLen())) // never more bits than it has
	}
	r.mu.Lock()
	limiter, _ := r.callers.get(from)
	if limiter == nil {
		limiter = r.limiter()
		r.callers.put(from, limiter)
	}
	r.mu.Unlock()
	return r.admit(limiter)
}

func (r *Rates) limiter() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(r.PerSecond), max(1, r.Burst))
}

func (r *Rates) admit(limiter *rate.Limiter) error {
	now := r.now()
	reservation := limiter.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return &BusyError{wait}
	}
	return nil
}
