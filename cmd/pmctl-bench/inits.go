package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// inits prints the slowest package initializations, and the linked packages.
func inits(ctx context.Context, pmctl string) error {
	command := exec.CommandContext(ctx, pmctl, "version")
	command.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	command.Stderr = &trace
	if err := command.Run(); err != nil {
		return err
	}
	type one struct {
		name string
		ms   float64
	}
	var all []one
	total := 0.0
	for lines := bufio.NewScanner(&trace); lines.Scan(); {
		// init NAME @0.5 ms, 0.1 ms clock, 100 bytes, 2 allocs
		words := strings.Fields(lines.Text())
		if len(words) < 6 || words[0] != "init" {
			continue
		}
		ms, err := strconv.ParseFloat(words[4], 64)
		if err != nil {
			return fmt.Errorf("%q: %w", lines.Text(), err)
		}
		all = append(all, one{words[1], ms})
		total += ms
	}
	slices.SortFunc(all, func(a, b one) int { return strings.Compare(fmt.Sprintf("%09.4f", b.ms), fmt.Sprintf("%09.4f", a.ms)) })
	fmt.Printf("\n%d package initializations take %.2f ms; the longest:\n", len(all), total)
	for _, i := range all[:min(8, len(all))] {
		fmt.Printf("%8.3f ms  %s\n", i.ms, i.name)
	}
	info, err := os.Stat(pmctl)
	if err != nil {
		return err
	}
	linked, err := exec.CommandContext(ctx, "go", "version", "-m", pmctl).Output()
	if err != nil {
		return err
	}
	fmt.Printf("\nlinked into %.1f MiB:\n", float64(info.Size())/(1<<20))
	for line := range strings.Lines(string(linked)) {
		if words := strings.Fields(line); len(words) >= 3 && words[0] == "dep" {
			fmt.Printf("  %s %s\n", words[1], words[2])
		}
	}
	return nil
}
