package cmd

import (
	"runtime/debug"
)

// buildVersion is the module version that the Go tool recorded in the binary.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
