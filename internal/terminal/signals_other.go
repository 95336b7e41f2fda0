//go:build !unix

package terminal

import "os"

// onSignal does nothing where a shell stops no process.
func onSignal(func(os.Signal)) (end func()) { return func() {} }

// quit does nothing where no such signal comes.
func quit() {}
