package cmd

import (
	"fmt"
	"os"
)

// programs are what the test binary can be besides itself and pmctl.
func programs() map[string]func() {
	run := func(act func(arg string) error) func() {
		return func() {
			if err := act(os.Args[1]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	return map[string]func(){readMemory: run(readMemoryOf), unprotected: run(waitUnprotected)}
}
