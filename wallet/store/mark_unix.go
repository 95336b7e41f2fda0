//go:build unix

package store

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	lockShared    = unix.LOCK_SH
	lockExclusive = unix.LOCK_EX
)

func tryLock(file *os.File, how int) bool {
	return unix.Flock(int(file.Fd()), how|unix.LOCK_NB) == nil
}

func unlockFile(file *os.File) { _ = unix.Flock(int(file.Fd()), unix.LOCK_UN) }

// changeTime is when the file's content or attributes last changed, in nanoseconds: a
// time that nobody can set.
func changeTime(file *os.File) (nanoseconds int64, known bool, err error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		return 0, false, err
	}
	return stat.Ctim.Nano(), true, nil
}
