package cmd

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseCode has the system unmap the program's own code, of which the start needed more
// than what follows. What is needed again is mapped again when it is run: it is still in
// memory, and nobody ever writes there.
func releaseCode() {
	program, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line) // addresses, mode, offset, device, inode, path
		if len(fields) != 6 || fields[1] != "r-xp" || fields[5] != program {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		begin, errBegin := strconv.ParseUint(from, 16, 64)
		end, errEnd := strconv.ParseUint(to, 16, 64)
		if errBegin == nil && errEnd == nil {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(begin), uintptr(end-begin), unix.MADV_DONTNEED)
		}
	}
}
