//go:build !unix

package terminal

// onResume does nothing where a shell stops no process.
func onResume(func()) (end func()) { return func() {} }
