// Command pmctl-devnet serves a local network to try pmctl on. It is a program of
// its own because it links a whole Ethereum node, which pmctl must not.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/pmctl/pmctl/cmd/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, cli.System(), os.Args[1:]))
}
