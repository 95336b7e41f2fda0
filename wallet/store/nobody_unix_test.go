//go:build unix

package store

import (
	"os/exec"
	"syscall"
)

// asNobody runs cmd without the superuser's privileges.
func asNobody(cmd *exec.Cmd) {
	const nobody = 65534
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}
