package wallet

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// A remote signer's forecast goes by the last month. The time from one to the next is at least
// forecastEvery, and many times what one takes: it reads events and ledger.
const (
	forecastPast  = 30 * 24 * time.Hour
	forecastEvery = 5 * time.Minute
	forecastShare = 20
)

// forecasts keeps the newest forecast of how long a deposit lasts.
type forecasts struct {
	config  Config
	account common.Address

	mu     sync.Mutex
	runway *Runway
	err    error
}

func (f *forecasts) last() (*Runway, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.runway, f.err
}

func (f *forecasts) run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		runway, err := f.make(ctx)
		if ctx.Err() != nil {
			return
		}
		f.mu.Lock()
		if f.err = err; err == nil {
			f.runway = runway
		}
		f.mu.Unlock()
		pause(ctx, max(forecastEvery, forecastShare*time.Since(began)))
	}
}

func (f *forecasts) make(ctx context.Context) (*Runway, error) {
	reader, err := OpenReader(ctx, f.config, f.account)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return reader.Runway(ctx, HistoryOptions{Since: reader.Now().Add(-forecastPast)})
}
