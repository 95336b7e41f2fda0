// Pmctl-bench measures whole processes of pmctl, each in turns with the least that could
// do the same, on a local network of its own. It prints medians, and the median of the
// pairs' ratios: how much faster another machine is does not matter for them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "pmctl-bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 3 && args[0] == "decrypt":
		return decrypt(ctx, args[1], args[2])
	case len(args) == 2 && args[0] == "call":
		return call(ctx, args[1])
	case len(args) > 1:
		return errors.New("say how many pairs, or nothing")
	}
	pairs := 11
	if len(args) == 1 {
		var err error
		if pairs, err = strconv.Atoi(args[0]); err != nil || pairs < 1 {
			return fmt.Errorf("%q is no number of pairs", args[0])
		}
	}
	folder, err := os.MkdirTemp("", "pmctl-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", folder, ".", "./cmd/pmctl-devnet", "./cmd/pmctl-bench", "./cmd/pmctl-bench/hello")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	w, err := newWorld(ctx, folder)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Printf("%-48s %10s %10s %7s\n", "whole processes, median of "+strconv.Itoa(pairs), "pmctl", "baseline", "ratio")
	for _, r := range w.rows() {
		result, err := measure(ctx, w, r, pairs)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		fmt.Printf("%-48s %7.1f ms %7.1f ms %7.2f\n", r.name, result.of, result.baseline, result.ratio)
	}
	return inits(ctx, filepath.Join(folder, "pmctl"))
}
