// Pmctl-documented is the pmctl that tests run as a process: it checks what it writes against docs/schemas.
// A test binary in its place takes three times as long to start, some two thousand times.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/pmctl/pmctl/cmd"
	"github.com/pmctl/pmctl/cmd/pmctl-documented/documents"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(documents.Run(cmd.System(), func(env *cmd.Env) int { return cmd.Main(ctx, os.Args[1:], env) }))
}
