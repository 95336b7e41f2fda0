// Command pmctl-devnet serves a local network to try pmctl on. It is a program of
// its own because it links a whole Ethereum node, which pmctl must not.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	streams := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	os.Exit(run(ctx, streams, os.Getenv, os.Args[1:]))
}
