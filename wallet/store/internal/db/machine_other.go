//go:build !linux && !darwin && !windows

package db

// FileID returns "": only the mark detects a copy under the same name here.
func FileID(string) (string, error) { return "", nil }

func machineID() string { return "" }
