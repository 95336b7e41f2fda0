// Pmctl is a command-line wallet for gateways, which pay with probabilistic
// micropayments on the Livepeer network.
package main

import (
	"os"

	"github.com/pmctl/pmctl/cmd"
	"github.com/pmctl/pmctl/internal/terminal"
)

func main() {
	os.Exit(cmd.Main(terminal.Interruptible(), os.Args[1:], cmd.System()))
}
