// Package fulldisk is for tests of what happens when a disk is full.
package fulldisk

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// required says that file systems must be mounted, so that no test is passed over.
const required = "PMCTL_REQUIRE_MOUNT"

// Mount returns a folder that is a disk of its own, of a size such as 4m, until the test ends. The
// test is skipped where the user may not mount one, unless PMCTL_REQUIRE_MOUNT is set.
func Mount(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv(required) != "" {
			require.NoError(t, err)
		}
		t.Skipf("this user may not mount a file system: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// Fill leaves no room in a folder that Mount returned, and returns what makes some again.
func Fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	filler, err := os.Create(filepath.Join(dir, "filler"))
	require.NoError(t, err)
	for block := make([]byte, 4096); err == nil; {
		_, err = filler.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, filler.Close())
	return func() { require.NoError(t, os.Remove(filler.Name())) }
}
