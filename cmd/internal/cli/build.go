package cli

import (
	"runtime/debug"
)

// BuildVersion is the module version that the Go tool recorded in the binary.
func BuildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
