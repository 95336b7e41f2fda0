package cmd

import (
	"fmt"
	"os"
)

// programs are what the test binary can be besides itself and pmctl.
func programs() map[string]func() {
	run := func(act func() error) func() {
		return func() {
			if err := act(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	return map[string]func(){
		readMemory:    run(func() error { return readMemoryOf(os.Args[1]) }),
		unprotected:   run(func() error { return waitUnprotected(os.Args[1]) }),
		interruptible: run(pageUntilKey),
	}
}
