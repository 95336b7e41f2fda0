//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// immediateShutdown ends a server at once, as if it had crashed.
const immediateShutdown = syscall.SIGQUIT

// unprivileged makes root run cmd, with its files in dir and more, as the user postgres:
// PostgreSQL refuses to run as root.
func unprivileged(cmd *exec.Cmd, dir string, more ...string) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	dieWithParent(cmd.SysProcAttr)
	if os.Getuid() != 0 {
		return nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err := strconv.ParseUint(owner.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(owner.Gid, 10, 32)
	if err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, path := range append([]string{dir, filepath.Join(dir, "password")}, more...) {
		if err := os.Chown(path, int(uid), int(gid)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
