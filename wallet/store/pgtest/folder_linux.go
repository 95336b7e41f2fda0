package pgtest

import (
	"os"

	"golang.org/x/sys/unix"
)

// inMemory is where Linux keeps files in memory. There a database is created and a commit synced
// in a fraction of the time, and a server that is killed loses no more than on a disk.
const inMemory = "/dev/shm"

// room is what inMemory must have free: the largest of the suites leaves 1.5 GiB of databases.
const room = 4 << 30

// parentFolder is where the folders of servers are.
func parentFolder() string {
	var fs unix.Statfs_t
	if err := unix.Statfs(inMemory, &fs); err == nil && fs.Type == unix.TMPFS_MAGIC && fs.Bavail*uint64(fs.Bsize) >= room {
		return inMemory
	}
	return os.TempDir()
}
