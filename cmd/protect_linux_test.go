package cmd

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What else the test binary is when it is run under these names.
const (
	readMemory  = "read-memory"
	unprotected = "unprotected"
)

// other is a user without privileges.
const other = 65534

// readMemoryOf reads some of another process's memory, as a thief of the same user would.
func readMemoryOf(pid string) error {
	maps, err := os.ReadFile("/proc/" + pid + "/maps")
	if err != nil {
		return err
	}
	start, err := strconv.ParseInt(string(maps[:bytes.IndexByte(maps, '-')]), 16, 64)
	if err != nil {
		return err
	}
	memory, err := os.Open("/proc/" + pid + "/mem")
	if err != nil {
		return err
	}
	defer memory.Close()
	_, err = memory.ReadAt(make([]byte, 16), start)
	return err
}

// asUser has cmd run without the superuser's privileges, which reach everywhere.
func asUser(cmd *exec.Cmd) {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	}
}

// TestMemoryIsItsOwn looks at a pmctl that waits for a passphrase, and kills it as a fault
// would. A process without protection shows that the same looks see something there.
func TestMemoryIsItsOwn(t *testing.T) {
	dir, err := os.MkdirTemp("", "pmctl-protect-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o777))
	pmctl, err := exec.LookPath("pmctl")
	require.NoError(t, err)
	for name, path := range map[string]string{"pmctl": pmctl, readMemory: os.Args[0], unprotected: os.Args[0]} {
		program, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), program, 0o755))
	}

	for _, name := range []string{"pmctl", unprotected} {
		fifo := filepath.Join(dir, name+".fifo")
		require.NoError(t, unix.Mkfifo(fifo, 0o600))
		if os.Getuid() == 0 {
			require.NoError(t, os.Chown(fifo, other, other))
		}
		victim := exec.Command(filepath.Join(dir, name), fifo)
		if name == "pmctl" {
			victim.Args = []string{name, "account", "new", "--passphrase-file", fifo}
		}
		victim.Dir = dir
		victim.Env = []string{"HOME=" + dir, "GOTRACEBACK=crash"}
		asUser(victim)
		require.NoError(t, startWithCores(victim))
		waits, ended := make(chan struct{}), make(chan struct{})
		go openAsWriter(fifo, waits, ended)
		select {
		case <-waits:
		case <-time.After(30 * time.Second):
			t.Fatalf("%s never read its pipe", name)
		}

		thief := exec.Command(filepath.Join(dir, readMemory), strconv.Itoa(victim.Process.Pid))
		thief.Dir = dir
		asUser(thief)
		out, err := thief.CombinedOutput()
		if name == "pmctl" {
			require.Error(t, err, "its memory can be read")
			require.Contains(t, string(out), "permission denied")
		} else if err != nil {
			t.Logf("this system lets no user read a process's memory: %s", out)
		}

		require.NoError(t, victim.Process.Signal(unix.SIGABRT))
		var exit *exec.ExitError
		require.True(t, errors.As(victim.Wait(), &exit))
		close(ended)
		status := exit.Sys().(syscall.WaitStatus)
		require.Equal(t, syscall.SIGABRT, status.Signal())
		if name == "pmctl" {
			require.False(t, status.CoreDump(), "it leaves a core file")
		} else if !status.CoreDump() {
			t.Log("no process leaves a core file here")
		}
	}
}

// startWithCores starts cmd as where core files are wanted.
func startWithCores(cmd *exec.Cmd) error {
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &old); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: old.Max, Max: old.Max}); err != nil {
		return err
	}
	return errors.Join(cmd.Start(), unix.Setrlimit(unix.RLIMIT_CORE, &old))
}

// waitUnprotected is what the test binary does as unprotected: it waits for a pipe's
// writer.
func waitUnprotected(fifo string) error {
	f, err := os.Open(fifo)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}
