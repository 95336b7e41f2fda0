// Package hinttest holds hints against a command tree.
package hinttest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

var (
	hints = regexp.MustCompile(`(?m)(?:^hint: |"hint":")(.*?)(?:"}*)?$`)
	lines = regexp.MustCompile(`\bpmctl(?: [a-z][a-z-]*)+`)
	flags = regexp.MustCompile(`--[a-z][a-z-]*`)
)

// Check fails for a hint on the stderr of a command line if it names a command that the tree lacks, or a flag
// that neither the command that ran has nor one that the hint names.
func Check(tree func() *cobra.Command, args []string, stderr string) error {
	saids := hints.FindAllStringSubmatch(stderr, -1)
	if saids == nil {
		return nil
	}
	root := tree()
	ran, _, err := root.Find(args)
	for _, said := range saids {
		if err != nil || strings.Contains(said[1], "as the command's argument") {
			continue // an unknown command, or a choice
		}
		have := []*cobra.Command{ran}
		for _, line := range lines.FindAllString(strings.ReplaceAll(said[1], " pmctl", "\npmctl"), -1) {
			named, rest, _ := root.Find(strings.Fields(line)[1:])
			if named != root && !named.Runnable() && len(rest) > 0 {
				return fmt.Errorf("a hint names %q, which is no command: %s", line, said[1])
			}
			have = append(have, named)
		}
		for _, flag := range flags.FindAllString(said[1], -1) {
			if flag != "--help" && !slices.ContainsFunc(have, func(c *cobra.Command) bool { return c.Flag(flag[2:]) != nil }) {
				return fmt.Errorf("a hint names %s, which %s lacks: %s", flag, ran.CommandPath(), said[1])
			}
		}
	}
	return nil
}
