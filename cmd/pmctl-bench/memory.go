package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// highWater is the most memory that a process has had so far, in KiB.
var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// memory returns the most memory that a batch had, in MiB. The system counts it, and
// is asked until the process is gone.
func (w *world) memory(count int, env string) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		line := mint(count, "ndjson", "/dev/null")
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
					err = errors.New("this system does not tell how much memory a process has had")
				}
				return peak / 1024, err
			case <-ticks.C:
				status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", command.Process.Pid))
				if found := highWater.FindSubmatch(status); err == nil && found != nil {
					if kib, err := strconv.ParseFloat(string(found[1]), 64); err == nil {
						peak = max(peak, kib)
					}
				}
			}
		}
	}
}
