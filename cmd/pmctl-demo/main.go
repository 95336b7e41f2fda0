// Pmctl-demo shows pmctl's main task from an empty folder to a withdrawn deposit, on a local
// network of its own. It types the commands that a user would type, shows their output, and
// checks the result on the chain.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/pmctl/pmctl/internal/terminal"
)

func main() {
	bin := flag.String("bin", "bin", "folder of the pmctl and pmctl-devnet binaries")
	flag.Parse()
	ctx := terminal.Interruptible()
	err := demo(ctx, *bin, os.Stdout)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "demo: cancelled; everything is cleaned up")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
