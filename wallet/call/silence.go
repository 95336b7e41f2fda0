package call

import (
	"context"
	"fmt"
	"io"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet/pay"
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
	s.timer = time.AfterFunc(most, func() { end(fmt.Errorf("no answer within %s", duration.Text(most))) })
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.timer.Stop()
	}
	s.over = true
}

// failed is the error of a request to an orchestrator that limited bounds: ctx's own, or
// pay.ErrUnreachable, which names the bound if that has passed.
func failed(ctx, limited context.Context, origin pay.URL, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil:
		silent := context.Cause(limited)
		return pay.Silent(origin, silent.Error(), silent)
	}
	return pay.Unreachable(origin, err)
}

// awaited is the body of an answer that limited bounds.
type awaited struct {
	io.ReadCloser
	limited context.Context
}

// Read names the bound where that ended the answer.
func (a *awaited) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil && err != io.EOF && a.limited.Err() != nil {
		err = context.Cause(a.limited)
	}
	return n, err
}
