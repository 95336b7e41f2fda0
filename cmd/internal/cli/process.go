package cli

import (
	"os"
	"runtime"
	"runtime/debug"
)

// BuildVersion is the module version that the Go tool recorded in the binary.
func BuildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

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
