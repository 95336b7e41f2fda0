package terminal

import (
	"fmt"
	"sync"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
)

const (
	// progressAfter is how long something may take without a word, progressEvery how
	// often the word changes.
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// Progress shows what is waited for, once that takes longer than a moment, until the returned
// function is called. A goroutine of its own asks for the text.
func (s *Screen) Progress(text func() string) (done func()) {
	began := time.Now()
	stop := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		timer := time.NewTimer(progressAfter)
		defer timer.Stop()
		for {
			select {
			case <-stop:
				s.show("")
				return
			case <-timer.C:
				s.show(fmt.Sprintf("%s … %s", text(), duration.Text(time.Since(began).Truncate(time.Second))))
				timer.Reset(progressEvery)
			}
		}
	})
	return func() {
		close(stop)
		ended.Wait()
	}
}
