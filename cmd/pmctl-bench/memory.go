package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// highWater is a process's peak memory, in KiB.
var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// memory returns a batch's peak memory, in MiB. It reads the system's count until the process
// has ended.
func (w *world) memory(count int, env string) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		line := mintWith(filepath.Join(w.folder, installed), count, "ndjson", "/dev/null")
		command := exec.CommandContext(ctx, line[0], line[1:]...)
		command.Env, command.Dir = append(slices.Clone(w.env), env), w.folder
		if err := command.Start(); err != nil {
			return 0, err
		}
		ended := make(chan error, 1)
		go func() { ended <- command.Wait() }()
		peak := 0.0
		ticks := time.NewTicker(20 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case err := <-ended:
				if err == nil && peak == 0 {
					err = errors.New("this system does not report a process's peak memory")
				}
				return peak, err
			case <-ticks.C:
				if mib, err := peakMemory(command.Process.Pid); err == nil {
					peak = max(peak, mib)
				}
			}
		}
	}
}

// peakMemory is a process's, in MiB.
func peakMemory(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		return 0, errors.New("this system does not report a process's peak memory")
	}
	kib, err := strconv.ParseFloat(string(found[1]), 64)
	return kib / 1024, err
}

// installed is a copy of pmctl.
const installed = "pmctl-installed"

// install copies pmctl, as an installation does. A file that the linker has written is in the
// page cache in larger pieces than a copy: a process that runs it counts 10 MiB more as its
// memory, without touching them.
func (w *world) install() error {
	in, err := os.Open(filepath.Join(w.folder, "pmctl"))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(filepath.Join(w.folder, installed), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	// In pieces, and not by a call that passes on whole files.
	_, err = io.Copy(struct{ io.Writer }{out}, struct{ io.Reader }{in})
	return errors.Join(err, out.Close())
}
