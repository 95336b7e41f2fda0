package remote

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how often one client may ask.
type Rate struct {
	// PerSecond is the mean; 0 is no bound.
	PerSecond float64

	// Burst is how many requests may come at once.
	Burst int
}

// Rates bounds how often each client may ask, over all servers that share it.
type Rates struct {
	Rate
	now func() time.Time

	mu      sync.Mutex
	clients map[string]*rate.Limiter
}

// NewRates returns the rates of clients of which none has asked yet, by a clock.
func NewRates(r Rate, now func() time.Time) *Rates {
	return &Rates{Rate: r, now: now, clients: make(map[string]*rate.Limiter)}
}

// admit fails with *BusyError for a client that asks too often.
func (r *Rates) admit(client string) error {
	if r.PerSecond <= 0 {
		return nil
	}
	r.mu.Lock()
	limiter := r.clients[client]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(r.PerSecond), max(1, r.Burst))
		r.clients[client] = limiter
	}
	r.mu.Unlock()
	now := r.now()
	reservation := limiter.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return &BusyError{wait}
	}
	return nil
}
