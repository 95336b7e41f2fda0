package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/pmctl/pmctl/internal/page"
)

const (
	// progressAfter is how long something may take without a word, progressEvery how
	// often the word changes.
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// watched reports whether a person sees what is rewritten in place.
func watched(r *Run) bool {
	return r.ErrTerminal && !r.Quiet && !documentsOnly(r) && r.Getenv("TERM") != "dumb"
}

// Waiting tells a person at a terminal what is waited for, once that takes longer than a
// moment, until the returned function is called. In a pipe it does nothing.
func (r *Run) Waiting(format string, args ...any) (done func()) {
	text := page.PlainLines(fmt.Sprintf(format, args...))
	return r.Progress(func() string { return text })
}

// Progress is waiting for what changes: a goroutine of its own asks for the text.
func (r *Run) Progress(text func() string) (done func()) {
	if !watched(r) {
		return func() {}
	}
	began := time.Now()
	stop := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		timer := time.NewTimer(progressAfter)
		defer timer.Stop()
		for {
			select {
			case <-stop:
				r.screen.show("")
				return
			case <-timer.C:
				r.screen.show(fmt.Sprintf("%s … %s", text(), time.Since(began).Truncate(time.Second)))
				timer.Reset(progressEvery)
			}
		}
	})
	return func() {
		close(stop)
		ended.Wait()
	}
}
