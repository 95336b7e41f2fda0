package cli

import (
	"os"
	"runtime"
	"runtime/debug"
)

// Several is how many signatures are worth a stop of some microseconds.
const Several = 100

// PrepareFor readies the process for a number of signatures.
//
// The scheduler gets twice as many processors as there are cores to use: a signature is a
// call into C of more than 20 µs, and the scheduler takes the processor away from such a
// call. Where no other is idle, the core then waits for one. A GOMAXPROCS of the
// environment is kept.
func PrepareFor(signatures int64) {
	if n := runtime.GOMAXPROCS(0); signatures >= Several && n <= runtime.NumCPU() && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * n)
	}
}

// PrepareToServe readies a process that signs until it is stopped. Its heap is a few MiB, so
// that collecting garbage less often costs little memory. A GOGC of the environment is kept.
func PrepareToServe() {
	PrepareFor(Several)
	if os.Getenv("GOGC") == "" {
		const percent = 200
		debug.SetGCPercent(percent)
	}
}
