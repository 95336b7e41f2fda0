// Command pmctl-devnet serves a local network to try pmctl on. It is a program of
// its own because it links a whole Ethereum node, which pmctl must not.
package main

import (
	"os"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/terminal"
)

func main() {
	os.Exit(run(terminal.Interruptible(), cli.System(), os.Args[1:]))
}
