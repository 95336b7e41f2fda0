package main

import (
	"os"
	"runtime"
	"runtime/debug"
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

// smallHeap collects garbage twice as often as usual. What is alive is 2 MiB whatever the
// batch, and most of a signature's garbage is four small pieces: the time for it is not
// to be seen beside the signatures, and a tenth of the memory is saved. Somebody who sets
// GOGC has decided already.
func smallHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
