// Pmctl is a command-line wallet for gateways, which pay with probabilistic
// micropayments on the Livepeer network.
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
	// The first signal ends what is under way in good order; a second one kills.
	context.AfterFunc(ctx, stop)
	os.Exit(cmd.Main(ctx, os.Args[1:], cmd.System()))
}
