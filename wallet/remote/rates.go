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

// rates bounds each client's rate.
type rates struct {
	Rate
	now func() time.Time

	mu      sync.Mutex
	clients map[string]*rate.Limiter
}

func newRates(r Rate, now func() time.Time) *rates {
	return &rates{Rate: r, now: now, clients: make(map[string]*rate.Limiter)}
}

// admit fails with *BusyError for a client that asks too often.
func (r *rates) admit(client string) error {
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
