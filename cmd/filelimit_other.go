//go:build !unix

package cmd

// outliveFileLimit does nothing: there is no such limit here.
func outliveFileLimit() {}
