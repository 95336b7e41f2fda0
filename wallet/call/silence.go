package call

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"sync"
	"time"
)

// silence is the time that an orchestrator may take to answer. It begins again when the request's
// body is sent, whose source may be slow.
type silence struct {
	most  time.Duration
	mu    sync.Mutex
	timer *time.Timer
	over  bool
}

// limit returns the context of a request that ends after so much silence; 0 is no limit.
func limit(ctx context.Context, most time.Duration, hasBody bool) (context.Context, *silence) {
	s := &silence{most: most, over: most == 0}
	if s.over {
		return ctx, s
	}
	ctx, end := context.WithCancelCause(ctx)
	s.timer = time.AfterFunc(most, func() { end(fmt.Errorf("no answer within %v", most)) })
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() {
			if hasBody {
				s.set(false)
			}
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { s.set(true) },
	}), s
}

func (s *silence) set(counts bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
	case counts:
		s.timer.Reset(s.most)
	default:
		s.timer.Stop()
	}
}

// end lets the rest of the answer take any time.
func (s *silence) end() {
	s.set(false)
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
}
