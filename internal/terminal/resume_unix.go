//go:build unix

package terminal

import (
	"os"
	"os/signal"
	"syscall"
)

// onResume calls f each time that the process is continued after a stop, until the returned function
// has returned.
func onResume(f func()) (end func()) {
	signals, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGCONT)
	go func() {
		defer close(ended)
		for range signals {
			f()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-ended
	}
}
