//go:build unix

package terminal

import (
	"os"
	"os/signal"
	"syscall"
)

// onSignal calls f each time that the process is continued after a stop, or is to quit with its stacks
// printed, until the returned function has returned.
func onSignal(f func(os.Signal)) (end func()) {
	signals, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGCONT, syscall.SIGQUIT)
	go func() {
		defer close(ended)
		for s := range signals {
			f(s)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-ended
	}
}

// quit ends the process as SIGQUIT does.
func quit() {
	signal.Reset(syscall.SIGQUIT)
	if syscall.Kill(os.Getpid(), syscall.SIGQUIT) == nil {
		select {}
	}
}
