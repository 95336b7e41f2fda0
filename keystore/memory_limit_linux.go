package keystore

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// heapSlack is what Go's heap needs beside a large allocation: it grows in arenas.
const heapSlack = 64 << 20

// freeMemory returns how much memory, in bytes, an allocation may take, and what limits it. Limits
// that cannot be read are ignored.
func freeMemory() (free uint64, limit string) {
	free, limit = math.MaxUint64, "no limit"
	consider := func(value uint64, ok bool, name string) {
		if ok && value < free {
			free, limit = value, name
		}
	}
	memory, ok := systemMemory()
	consider(memory, ok, "the machine's free memory")
	memory, ok = addressSpace()
	consider(memory, ok, "ulimit -v")
	memory, ok = controlGroup()
	consider(memory, ok, "the memory limit of the container or service")
	return free, limit
}

// systemMemory returns what the kernel could allocate without killing a process.
func systemMemory() (uint64, bool) {
	kib := numbers("/proc/meminfo")
	available, ok := kib["MemAvailable:"]
	return (available + kib["SwapFree:"]) << 10, ok
}

// numbers returns the numbers behind the names in a file of the kernel, one name a line.
func numbers(path string) map[string]uint64 {
	text, _ := os.ReadFile(path) // without it there are none
	found := make(map[string]uint64)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 {
			if n, err := strconv.ParseUint(fields[1], 10, 53); err == nil {
				found[fields[0]] = n
			}
		}
	}
	return found
}

// addressSpace returns what the process may still map.
func addressSpace() (uint64, bool) {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &limit) != nil || limit.Cur == unix.RLIM_INFINITY {
		return 0, false
	}
	text, err := os.ReadFile("/proc/self/statm")
	pages, _, _ := strings.Cut(string(text), " ")
	mapped, parseErr := strconv.ParseUint(pages, 10, 50)
	if err != nil || parseErr != nil {
		return 0, false
	}
	return below(limit.Cur, mapped*uint64(os.Getpagesize())+heapSlack), true
}

// controlGroup returns what the smallest of the process's memory limits (cgroup v2) leaves beside
// programs' memory: files' memory can be freed.
func controlGroup() (uint64, bool) {
	const root = "/sys/fs/cgroup"
	text, err := os.ReadFile("/proc/self/cgroup")
	_, path, ok := strings.Cut(strings.TrimSpace(string(text)), "0::")
	if err != nil || !ok {
		return 0, false
	}
	free, found := uint64(math.MaxUint64), false
	for dir := filepath.Join(root, path); strings.HasPrefix(dir, root); dir = filepath.Dir(dir) {
		text, _ := os.ReadFile(filepath.Join(dir, "memory.max"))
		limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			continue // "max", or no such file
		}
		held, ok := numbers(filepath.Join(dir, "memory.stat"))["anon"]
		if !ok {
			continue
		}
		free, found = min(free, below(limit, held)), true
	}
	return free, found
}

// below returns a-b, or 0 if that is negative.
func below(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}
