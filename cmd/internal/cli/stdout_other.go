//go:build !cgo || !unix

package cli

// outClosed reports whether the process was started without a stdout, which cannot be
// known here.
func outClosed() bool { return false }
