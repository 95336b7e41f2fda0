//go:build !linux

package cmd

// programs are what the test binary can be besides itself and pmctl.
func programs() map[string]func() { return map[string]func(){} }
