//go:build cgo && unix

package terminal

// Go opens the null device instead of a standard stream that is closed, before any Go
// code runs, and then it looks like one that the user chose. C runs earlier.

/*
#include <fcntl.h>

static int out_closed;

__attribute__((constructor)) static void look_at_stdout(void) {
	out_closed = fcntl(1, F_GETFD) == -1;
}

static int was_out_closed(void) { return out_closed; }
*/
import "C"

// OutClosed reports whether the process was started without a stdout.
func OutClosed() bool { return C.was_out_closed() != 0 }
