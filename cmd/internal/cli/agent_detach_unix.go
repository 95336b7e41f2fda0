//go:build linux || darwin

package cli

import (
	"os"
	"os/exec"
	"syscall"
)

// detach runs this program again, away from the terminal and its signals. Files are its
// descriptors from 3 on.
func detach(args []string, files []*os.File) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	again := &exec.Cmd{
		Path: program, Args: append([]string{os.Args[0]}, args...),
		ExtraFiles: files, SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := again.Start(); err != nil {
		return err
	}
	return again.Process.Release()
}
