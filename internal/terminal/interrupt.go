package terminal

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Interruptible returns a program's context. The first SIGINT, SIGTERM or SIGHUP (the terminal is
// closed) ends it, so that what is under way ends in good order; another SIGINT or SIGTERM kills, from a second
// later on.
func Interruptible() context.Context {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as it is below nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, func() {
		// A terminal that is closed sends SIGHUP twice: first its shell does, then the system.
		signal.Ignore(syscall.SIGHUP)
		time.AfterFunc(time.Second, stop) // timeout(1) sends each signal twice: to its command, and to the group
	})
	return ctx
}
