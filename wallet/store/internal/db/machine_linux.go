package db

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// FileID is the file's inode and creation time. The device's number may change with a reboot.
func FileID(path string) (string, error) {
	var stat unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_INO|unix.STATX_BTIME, &stat); err != nil {
		return "", &os.PathError{Op: "statx", Path: path, Err: err}
	}
	if stat.Mask&unix.STATX_BTIME == 0 {
		return fmt.Sprint(stat.Ino), nil
	}
	return fmt.Sprintf("%d %d.%09d", stat.Ino, stat.Btime.Sec, stat.Btime.Nsec), nil
}

// machineID is the machine's ID, "" if it has none.
func machineID() string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if text, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	return ""
}
