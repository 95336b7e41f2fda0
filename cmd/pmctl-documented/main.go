// Pmctl-documented is the pmctl that tests run as a process: it has what it writes checked against
// docs/schemas. A test binary in its place takes three times as long to start, some two thousand
// times.
package main

import (
	"os"

	"github.com/pmctl/pmctl/cmd"
	"github.com/pmctl/pmctl/internal/terminal"
)

func main() {
	os.Exit(documented(cmd.System(), func(env *cmd.Env) int { return cmd.Main(terminal.Interruptible(), os.Args[1:], env) }))
}
