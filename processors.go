package main

import (
	"os"
	"runtime"
)

// spareProcessors gives the scheduler twice as many processors as there are cores to use.
// A signature is a call into C of more than 20 µs, and the scheduler takes the processor
// away from such a call: where no other is idle, the core then waits for one. Somebody
// who sets GOMAXPROCS has decided already.
func spareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}
