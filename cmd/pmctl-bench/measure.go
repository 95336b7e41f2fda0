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

// row is one comparison.
type row struct {
	name string
	// before, unless nil, makes what the others use up.
	before func(context.Context) error
	// of is compared with baseline. Each returns its duration in milliseconds, or its amount in
	// unit.
	of, baseline func(context.Context) (float64, error)
	unit         string // "" is ms, none a number alone
	// rate makes the ratio a speed, not a duration.
	rate bool
	// once is for results that are always the same.
	once bool
}

// none is the unit of counts.
const none = "-"

// result is medians, and the median of the pairs' ratios.
type result struct{ of, baseline, ratio float64 }

// measure runs both in turns, so that other load on the machine affects both.
func measure(ctx context.Context, r row, pairs int) (result, error) {
	var of, baseline, ratio []float64
	if r.once {
		pairs = 1
	}
	for i := range pairs + 1 {
		if i == 0 && r.once {
			continue // nothing to warm
		}
		if r.before != nil {
			if err := r.before(ctx); err != nil {
				return result{}, err
			}
		}
		a, err := r.of(ctx)
		if err != nil {
			return result{}, err
		}
		b, err := r.baseline(ctx)
		if err != nil {
			return result{}, err
		}
		if i == 0 {
			continue // the first one warms the page cache
		}
		part := a / b
		if r.rate {
			part = b / a
		}
		of, baseline, ratio = append(of, a), append(baseline, b), append(ratio, part)
	}
	return result{median(of), median(baseline), median(ratio)}, nil
}

// print measures rows and prints a line for each.
func printRows(ctx context.Context, title string, rows []row, pairs int) error {
	fmt.Printf("\n%-50s %11s %11s %6s\n", title, "pmctl", "baseline", "ratio")
	for _, r := range rows {
		found, err := measure(ctx, r, pairs)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		unit := r.unit
		if unit == "" {
			unit = "ms"
		}
		if unit == none {
			unit = ""
		}
		fmt.Printf("%-50s %8.1f %-2s %8.1f %-2s %6.2f\n", r.name, found.of, unit, found.baseline, unit, found.ratio)
	}
	return nil
}

// process returns a function that times a command of the world, with more variables.
func (w *world) process(line []string, env ...string) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		command := exec.CommandContext(ctx, line[0], line[1:]...)
		command.Env, command.Dir = append(slices.Clone(w.env), env...), w.folder
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
}

// run runs a command of the world, without timing it.
func (w *world) run(line []string, env ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := w.process(line, env...)(ctx)
		return err
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
