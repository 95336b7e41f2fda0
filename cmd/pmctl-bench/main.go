// Pmctl-bench measures pmctl, mostly as whole processes, in turns with the minimum that could
// do the same, on a local network of its own. It prints medians, and the median of the pairs'
// ratios, which do not depend on the machine's speed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "pmctl-bench: %v\n", err)
		os.Exit(1)
	}
}

// options select the measurements.
type options struct {
	pairs      int
	bulk, long bool
	signer     bool
	database   string
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if least, ok := baselines[args[0]]; ok {
			return least(ctx, args[1:])
		}
	}
	var o options
	flags := flag.NewFlagSet("pmctl-bench", flag.ContinueOnError)
	flags.IntVar(&o.pairs, "pairs", 11, "measure this many pairs for each line")
	flags.BoolVar(&o.bulk, "bulk", false, "measure large batches, too: several minutes")
	flags.BoolVar(&o.long, "long", false, "measure batches of up to ten million tickets: an hour")
	flags.BoolVar(&o.signer, "signer", false, "measure the remote signer instead")
	flags.StringVar(&o.database, "postgres", "", "measure the remote signer on the empty database at this `URL`, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || o.pairs < 1 {
		return errors.New("usage: pmctl-bench [-pairs N] [-bulk] [-long] [-signer [-postgres URL]]; N is at least 1")
	}
	return o.run(ctx)
}

func (o options) run(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "pmctl-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := build(ctx, folder); err != nil {
		return err
	}
	w, err := newWorld(ctx, folder)
	if err != nil {
		return err
	}
	defer w.close()
	describeMachine()
	if o.signer {
		return w.measureSigners(ctx, o.database, o.pairs)
	}
	of := "medians of " + strconv.Itoa(o.pairs)
	calls, err := w.callRows()
	if err != nil {
		return err
	}
	if err := printRows(ctx, "whole processes, "+of, append(calls, w.rows()...), o.pairs); err != nil {
		return err
	}
	if o.bulk || o.long {
		bulk, err := w.bulkRows(ctx, o.long)
		if err != nil {
			return err
		}
		if err := printRows(ctx, "large batches, whole processes, "+of, bulk, o.pairs); err != nil {
			return err
		}
		inside, err := w.insideRows(ctx, o.long)
		if err != nil {
			return err
		}
		if err := printRows(ctx, "inside one process, "+of, inside, o.pairs); err != nil {
			return err
		}
	}
	return inits(ctx, filepath.Join(folder, "pmctl"))
}

// build compiles the programs into a folder: pmctl as it is released, so that nothing is measured
// that users do not have.
func build(ctx context.Context, folder string) error {
	released := []string{"-tags=nomocks", "-ldflags=-s -w"}
	if runtime.GOOS == "linux" && cgo {
		released = []string{"-tags=netgo,osusergo,nomocks", `-ldflags=-s -w -linkmode=external -extldflags "-static"`}
	}
	for _, programs := range [][]string{
		append(released, "."),
		{"./cmd/pmctl-devnet", "./cmd/pmctl-bench", "./cmd/pmctl-bench/hello"},
	} {
		command := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-o", folder}, programs...)...)
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	return nil
}

// describeMachine names the machine and the build.
func describeMachine() {
	name := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	signing := "libsecp256k1 (cgo)"
	if !cgo {
		signing = "pure Go"
	}
	fmt.Printf("%s, %d cores; %s %s/%s; signatures: %s\n", name, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, signing)
}
