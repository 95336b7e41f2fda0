package dialect

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/internal/duration"
)

// Headings of a help page for flags that commands share, in the order of the page. A
// command's own flags come before them.
const (
	LimitFlags       = "Limits"
	TransactionFlags = "Transaction"
	AccountFlags     = "Account, key and store"
	NetworkFlags     = "Network and node"
	OutputFlags      = "Output"
	globalFlags      = "Global"
)

// groupKey begins the annotation of a command that has the heading of a flag.
const groupKey = "pmctl_group "

// InGroup puts flags of a command under a shared heading.
func InGroup(cmd *cobra.Command, heading string, names ...string) {
	for _, name := range names {
		annotate(cmd, groupKey+name, heading)
	}
}

// FlagGroup is a part of a help page.
type FlagGroup struct {
	Heading string
	Flags   []*pflag.Flag
}

// FlagGroups returns a command's flags as its help shows them: its own first, required
// ones on top, then the shared ones.
func FlagGroups(cmd *cobra.Command) []FlagGroup {
	byHeading := make(map[string][]*pflag.Flag)
	add := func(flag *pflag.Flag, heading string) {
		if !flag.Hidden {
			byHeading[heading] = append(byHeading[heading], flag)
		}
	}
	global := cmd.Root().PersistentFlags()
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		heading := "Flags"
		switch given := cmd.Annotations[groupKey+flag.Name]; {
		case given != "":
			heading = given
		case flag.Name == "help", flag.Name == "version", global.Lookup(flag.Name) == flag:
			heading = globalFlags
		}
		add(flag, heading)
	})
	cmd.InheritedFlags().VisitAll(func(flag *pflag.Flag) {
		if cmd.Flags().Lookup(flag.Name) == nil {
			add(flag, globalFlags)
		}
	})
	var groups []FlagGroup
	for _, heading := range []string{"Flags", LimitFlags, TransactionFlags, AccountFlags, NetworkFlags, OutputFlags, globalFlags} {
		flags := byHeading[heading]
		if len(flags) == 0 {
			continue
		}
		slices.SortStableFunc(flags, func(a, b *pflag.Flag) int {
			if Required(a) != Required(b) {
				return cmp.Compare(boolRank(Required(a)), boolRank(Required(b)))
			}
			return strings.Compare(a.Name, b.Name)
		})
		groups = append(groups, FlagGroup{heading, flags})
	}
	return groups
}

func boolRank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// Required reports whether a command fails without the flag.
func Required(flag *pflag.Flag) bool {
	return slices.Equal(flag.Annotations[cobra.BashCompOneRequiredFlag], []string{"true"})
}

// FlagName is a flag as the user types it, with its metavariable: -o, --output FORMAT.
func FlagName(flag *pflag.Flag) string {
	name := "--" + flag.Name
	if flag.Shorthand != "" {
		name = "-" + flag.Shorthand + ", " + name
	}
	if metavariable, _ := pflag.UnquoteUsage(flag); metavariable != "" {
		name += " " + metavariable
	}
	return name
}

// FlagText is what a flag does, with its default.
func FlagText(flag *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(flag)
	switch flag.DefValue {
	case "", "0", "false", "[]":
	default:
		text += " (default " + defaultText(flag) + ")"
	}
	if Required(flag) {
		text += " (required)"
	}
	return text
}

// defaultText is a flag's default as a user writes it: 5m, where Go prints 5m0s.
func defaultText(flag *pflag.Flag) string {
	if d, err := duration.Parse(flag.DefValue); err == nil && flag.Value.Type() == "duration" {
		return duration.Text(d)
	}
	return flag.DefValue
}

// CommandGroup is a part of a help page that lists subcommands.
type CommandGroup struct {
	Heading  string
	Commands []*cobra.Command
}

// CommandGroups returns a command's subcommands as its help shows them.
func CommandGroups(cmd *cobra.Command) []CommandGroup {
	var groups []CommandGroup
	for _, group := range append([]*cobra.Group{{Title: "Commands"}}, cmd.Groups()...) {
		var listed []*cobra.Command
		for _, sub := range cmd.Commands() {
			if sub.GroupID == group.ID && sub.IsAvailableCommand() {
				listed = append(listed, sub)
			}
		}
		if len(listed) > 0 {
			groups = append(groups, CommandGroup{group.Title, listed})
		}
	}
	return groups
}
