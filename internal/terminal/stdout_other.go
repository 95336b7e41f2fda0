//go:build !cgo || !unix

package terminal

// OutClosed reports whether the process was started without a stdout, which cannot be
// known here.
func OutClosed() bool { return false }
