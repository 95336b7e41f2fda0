//go:build !linux

package keystore

import "math"

// freeMemory returns how much memory, in bytes, an allocation may take, and what limits it. Only
// Linux tells.
func freeMemory() (free uint64, limit string) { return math.MaxUint64, "no limit" }
