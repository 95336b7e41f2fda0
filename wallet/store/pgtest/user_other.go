//go:build !unix

package pgtest

import (
	"os"
	"os/exec"
)

var immediateShutdown = os.Kill

// unprivileged fails: how a server is started here is not known.
func unprivileged(*exec.Cmd, string, ...string) error { return errNotInstalled }
