//go:build unix && !linux

package pgtest

import "syscall"

// dieWithParent does nothing: this system has no such thing.
func dieWithParent(*syscall.SysProcAttr) {}
