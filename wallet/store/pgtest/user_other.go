//go:build !unix

package pgtest

import (
	"os"
	"os/exec"
)

var immediateShutdown = os.Kill

// unprivileged fails: this system has no way to start a server.
func unprivileged(*exec.Cmd, string, ...string) error { return errNotInstalled }
