// Package dialect is how a tree of cobra commands speaks: help in groups, errors about flags and
// arguments with what to write instead, and suggestions for mistyped words, none of which moves
// money. Its errors are all faults of the command line.
package dialect

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/internal/page"
)

const (
	// helpColumn is the most that a flag or a command takes of a line; the text of a longer
	// one begins below it.
	helpColumn = 30
	// maxHelpWidth is the longest line that is comfortable to read.
	maxHelpWidth = 120
)

// InstallHelp sets the dialect of a tree of commands: help in groups, on the page
// that on returns, with notes below that of the root; and errors about arguments and flags.
func InstallHelp(root *cobra.Command, on func() *page.Page, notes string) {
	root.SetFlagErrorFunc(flagError)
	eachCommand(root, func(cmd *cobra.Command) {
		if cmd.Args == nil && cmd != root {
			cmd.Args = checkArguments
		}
		readByOneRule(cmd.Flags())
	})
	usage := func(cmd *cobra.Command) string {
		help := helpPage{Page: on()}
		help.usage(cmd)
		if cmd == root {
			help.section("", notes)
		}
		if cmd.HasAvailableSubCommands() {
			help.section("", fmt.Sprintf("Run %q for more about a command.", cmd.CommandPath()+" COMMAND --help"))
		}
		return help.String()
	}
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		cmd.InitDefaultHelpFlag()
		cmd.InitDefaultVersionFlag()
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n%s", page.Reflow(cmp.Or(cmd.Long, cmd.Short), helpWidth(on())), usage(cmd))
	})
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		_, err := fmt.Fprint(cmd.OutOrStderr(), usage(cmd))
		return err
	})
}

// helpWidth is how wide the text of a help page is.
func helpWidth(p *page.Page) int { return min(p.Width, maxHelpWidth) }

// helpPage is a help page as it is written.
type helpPage struct {
	*page.Page
	strings.Builder
}

// section adds text under a heading, with an empty line before it.
func (p *helpPage) section(heading, text string) {
	if text == "" {
		return
	}
	if p.Len() > 0 {
		p.Builder.WriteString("\n")
	}
	if heading != "" {
		p.Builder.WriteString(p.Bold(heading+":") + "\n")
	}
	p.Builder.WriteString(strings.TrimRight(text, "\n") + "\n")
}

func (p *helpPage) usage(cmd *cobra.Command) {
	var lines strings.Builder
	groups := FlagGroups(cmd)
	// A root without flags of its own does nothing but list its commands.
	if cmd.Runnable() && (cmd.HasParent() || groups[0].Heading != globalFlags) {
		lines.WriteString("  " + cmd.UseLine() + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		lines.WriteString("  " + cmd.CommandPath() + " COMMAND\n")
	}
	p.section("Usage", lines.String())
	p.section("Examples", cmd.Example)
	for _, group := range CommandGroups(cmd) {
		var list strings.Builder
		for _, sub := range group.Commands {
			p.entry(&list, 13, "  "+sub.Name(), sub.Short)
		}
		p.section(group.Heading, list.String())
	}
	column := 0
	for _, group := range groups {
		for _, flag := range group.Flags {
			if width := utf8.RuneCountInString(flagLabel(flag)); width <= helpColumn {
				column = max(column, width)
			}
		}
	}
	for _, group := range groups {
		var list strings.Builder
		for _, flag := range group.Flags {
			p.entry(&list, column, flagLabel(flag), FlagText(flag))
		}
		p.section(group.Heading, list.String())
	}
}

// flagLabel is a flag's name, indented as if it had a letter where it has none.
func flagLabel(flag *pflag.Flag) string {
	if flag.Shorthand == "" {
		return "      " + FlagName(flag)
	}
	return "  " + FlagName(flag)
}

// entry adds a name with its text in the column beside it. A name that is too long has a
// line of its own.
func (p *helpPage) entry(b *strings.Builder, column int, label, text string) {
	if utf8.RuneCountInString(label) > column {
		b.WriteString(label + "\n")
		label = ""
	}
	column += 2
	for line := range strings.SplitSeq(page.Wrap(text, max(helpWidth(p.Page)-column, 20)), "\n") {
		fmt.Fprintf(b, "%-*s%s\n", column, label, line)
		label = ""
	}
}
