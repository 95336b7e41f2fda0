package db

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// FileID is the file's inode and creation time.
func FileID(path string) (string, error) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return "", &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return fmt.Sprintf("%d %d", stat.Ino, stat.Btim.Nano()), nil
}

// machineID is the machine's ID, "" if it has none.
func machineID() string {
	id, err := unix.Sysctl("kern.uuid")
	if err != nil {
		return ""
	}
	return id
}
