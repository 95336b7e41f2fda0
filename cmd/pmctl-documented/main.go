// Pmctl-documented is the pmctl that tests run as a process: it has what it writes checked against
// docs/schemas. A test binary in its place takes three times as long to start, some two thousand
// times.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/pmctl/pmctl/cmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(documented(cmd.System(), func(env *cmd.Env) int { return cmd.Main(ctx, os.Args[1:], env) }))
}
