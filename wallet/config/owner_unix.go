//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkOwner refuses a file that another user than its owner or root can change, since its limits
// would not be limits.
func checkOwner(path string, info fs.FileInfo) error {
	const byOthers = 0o022
	if info.Mode().Perm()&byOthers != 0 {
		return fmt.Errorf("%w: %s has mode %#o; run chmod go-w on it", ErrUnsafe, path, info.Mode().Perm())
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if ok && owner.Uid != 0 && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to user %d; run chown on it so that it belongs to you or to root", ErrUnsafe, path, owner.Uid)
	}
	return nil
}
