// Pmctl-docs generates the reference and the man pages from the commands' help.
//
//	pmctl-docs -reference docs/cli.md -man docs/man
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd"
	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
)

func main() {
	reference := flag.String("reference", "", "write the reference to this `FILE`")
	man := flag.String("man", "", "write the man pages, and nothing else, into this `DIR`")
	flag.Parse()
	if err := write(*reference, *man); err != nil {
		fmt.Fprintln(os.Stderr, "pmctl-docs:", err)
		os.Exit(1)
	}
}

func write(reference, man string) error {
	tree := cmd.Tree()
	if reference != "" {
		text, err := referenceOf(tree)
		if err != nil {
			return err
		}
		if err := os.WriteFile(reference, text, 0o644); err != nil {
			return err
		}
	}
	if man == "" {
		return nil
	}
	return writeMan(tree, man)
}

// all returns the command with all under it that users see, in the order of their names.
func all(c *cobra.Command) []*cobra.Command {
	found := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			found = append(found, all(sub)...)
		}
	}
	return found
}

// referenceOf is every command's help on one page of Markdown.
func referenceOf(tree *cobra.Command) ([]byte, error) {
	var reference bytes.Buffer
	reference.WriteString("# Command line reference\n\n" +
		"The help of every command and every topic, as `make gen` wrote it down. The exit codes are under [pmctl help exit-codes](#pmctl-help-exit-codes) and in the [README](../README.md).\n\n")
	for _, c := range all(tree) {
		path := c.CommandPath()
		fmt.Fprintf(&reference, "- [%s](#%s): %s\n", path, strings.ReplaceAll(path, " ", "-"), c.Short)
	}
	for _, topic := range cli.Topics() {
		fmt.Fprintf(&reference, "- [pmctl help %s](#pmctl-help-%s): %s\n", topic.Name, topic.Name, topic.Short)
	}
	for _, c := range all(tree) {
		var help bytes.Buffer
		c.SetOut(&help)
		c.InitDefaultHelpFlag()
		c.InitDefaultVersionFlag()
		if err := c.Help(); err != nil {
			return nil, err
		}
		fmt.Fprintf(&reference, "\n## %s\n\n```text\n%s\n```\n", c.CommandPath(), strings.TrimSpace(help.String()))
	}
	for _, topic := range cli.Topics() {
		var text bytes.Buffer
		dialect.WriteTopic(&page.Page{Writer: &text, Width: 80}, topic)
		fmt.Fprintf(&reference, "\n## pmctl help %s\n\n```text\n%s\n```\n", topic.Name, strings.TrimSpace(text.String()))
	}
	return reference.Bytes(), nil
}

// writeMan writes a page for each command, and removes the pages of removed commands.
func writeMan(tree *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for _, c := range all(tree) {
		if err := os.WriteFile(filepath.Join(dir, pageName(c)+".1"), manPage(c), 0o644); err != nil {
			return err
		}
	}
	return nil
}
