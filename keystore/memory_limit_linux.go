package keystore

import (
	"bufio"
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
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	defer file.Close()
	var sum uint64
	found := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		if name != "MemAvailable" && name != "SwapFree" {
			continue
		}
		kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 54)
		if err != nil {
			return 0, false
		}
		sum, found = sum+kib<<10, found || name == "MemAvailable"
	}
	return sum, found
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
		limit, err := readNumber(filepath.Join(dir, "memory.max"))
		if err != nil {
			continue // "max", or no such file
		}
		held, err := heldBy(filepath.Join(dir, "memory.stat"))
		if err != nil {
			continue
		}
		free, found = min(free, below(limit, held)), true
	}
	return free, found
}

func readNumber(path string) (uint64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}

// heldBy returns the memory of a group that is not a file's.
func heldBy(path string) (uint64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "anon "); ok {
			return strconv.ParseUint(value, 10, 64)
		}
	}
	return 0, lines.Err()
}

// below returns a-b, or 0 if that is negative.
func below(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}
