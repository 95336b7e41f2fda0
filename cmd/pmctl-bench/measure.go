package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// row is one comparison of whole processes.
type row struct {
	name string
	// before, unless it is empty, makes what a run of the first one uses up.
	before []string
	// of is measured against baseline. They are command lines.
	of, baseline []string
}

// result is medians in milliseconds, and the median of the pairs' ratios.
type result struct{ of, baseline, ratio float64 }

// measure runs both command lines in turns, so that whatever else the machine does
// concerns both.
func measure(ctx context.Context, w *world, r row, pairs int) (result, error) {
	var of, baseline, ratio []float64
	for i := range pairs + 1 {
		if len(r.before) > 0 {
			if _, err := w.time(ctx, r.before); err != nil {
				return result{}, err
			}
		}
		a, err := w.time(ctx, r.of)
		if err != nil {
			return result{}, err
		}
		b, err := w.time(ctx, r.baseline)
		if err != nil {
			return result{}, err
		}
		if i == 0 {
			continue // the first one warms the page cache
		}
		of, baseline, ratio = append(of, a), append(baseline, b), append(ratio, a/b)
	}
	return result{median(of), median(baseline), median(ratio)}, nil
}

// time runs a command and returns its milliseconds.
func (w *world) time(ctx context.Context, line []string) (float64, error) {
	command := exec.CommandContext(ctx, line[0], line[1:]...)
	command.Env, command.Dir = w.env, w.folder
	var errs bytes.Buffer
	command.Stderr = &errs
	start := time.Now()
	err := command.Run()
	elapsed := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", strings.Join(line, " "), err, errs.String())
	}
	return float64(elapsed.Microseconds()) / 1000, nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
