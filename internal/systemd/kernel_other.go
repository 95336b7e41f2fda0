//go:build !linux

package systemd

import "os"

// monotonic is the variable with the time since the machine started, of which no manager asks here.
func monotonic() string { return "" }

// accepts leaves to net.FileListener what a socket is.
func accepts(*os.File) bool { return true }
