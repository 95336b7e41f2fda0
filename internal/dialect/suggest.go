package dialect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
)

// The annotation of commands that move money, or agree to it, and that of the root with the names
// of such flags.
const (
	moneyKey      = "pmctl_moves_money"
	moneyFlagsKey = "pmctl_money_flags"
)

// MarkMoney keeps commands, by their path below root, and flags, by their name, out of all
// suggestions: a typing error must not lead to a payment.
func MarkMoney(root *cobra.Command, paths, flags []string) {
	for _, path := range paths {
		if cmd, rest, err := root.Find(strings.Fields(path)); err == nil && len(rest) == 0 && cmd != root {
			annotate(cmd, moneyKey, "true")
		}
	}
	annotate(root, moneyFlagsKey, strings.Join(flags, " "))
}

// MovesMoney reports whether a command is marked.
func MovesMoney(cmd *cobra.Command) bool { return cmd.Annotations[moneyKey] != "" }

func eachCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, sub := range cmd.Commands() {
		eachCommand(sub, do)
	}
}

func annotate(cmd *cobra.Command, key, value string) {
	if cmd.Annotations == nil {
		cmd.Annotations = make(map[string]string)
	}
	cmd.Annotations[key] = value
}

// UnknownCommandError is returned for a word that is no command where one is expected.
type UnknownCommandError struct {
	Parent *cobra.Command
	Word   string
}

func (e *UnknownCommandError) Error() string {
	return "unknown command " + shown(e.Word) + " for " + e.Parent.CommandPath()
}

// Hint proposes commands of a similar name, but none that moves money.
func (e *UnknownCommandError) Hint() string {
	var near []string
	for _, sub := range e.Parent.Commands() {
		if sub.IsAvailableCommand() && !MovesMoney(sub) && similar(e.Word, sub.Name()) {
			near = append(near, sub.CommandPath())
		}
	}
	lists := e.Parent.CommandPath() + " --help lists the commands" + keyWarning(e.Word)
	if len(near) == 0 {
		return lists
	}
	return "did you mean " + words.OneOf(near) + "? " + lists
}

// CheckCommand refuses a line whose first word after a group of commands is none of them,
// whatever flags follow, and one with a flag's name after a single dash, which the parser would
// read as letters. Where a flag before that is unknown, it leaves the line to the parser of the flags.
func CheckCommand(root *cobra.Command, args []string) error {
	cmd, rest, err := root.Find(args)
	if err != nil {
		cmd, rest = root, args // cobra's own check of the root
	}
	cmd.InitDefaultHelpFlag()
	group := cmd.HasAvailableSubCommands() && len(Positionals(cmd)) == 0
	for i := 0; i < len(rest); i++ {
		word := rest[i]
		if word == "--" {
			return nil
		}
		if !strings.HasPrefix(word, "-") || word == "-" {
			if group {
				return &UnknownCommandError{cmd, word}
			}
			continue
		}
		if name, _, _ := strings.Cut(word[1:], "="); len(name) > 1 && cmd.Flag(name) != nil {
			return hint.With(fmt.Errorf("unknown flag -%s for %s", name, cmd.CommandPath()), "did you mean --%s? %s --help lists the flags", name, cmd.CommandPath())
		}
		flag := lookupFlag(cmd, word)
		if flag == nil {
			return nil
		}
		if takesNext := flag.NoOptDefVal == "" && !strings.Contains(word, "=") && !(word[1] != '-' && len(word) > 2); takesNext {
			i++
		}
	}
	return nil
}

// lookupFlag is the flag that a word of a command line names; nil for none.
func lookupFlag(cmd *cobra.Command, word string) *pflag.Flag {
	if name, long := strings.CutPrefix(word, "--"); long {
		name, _, _ = strings.Cut(name, "=")
		return cmd.Flag(name)
	}
	if flag := cmd.Flags().ShorthandLookup(word[1:2]); flag != nil {
		return flag
	}
	return cmd.InheritedFlags().ShorthandLookup(word[1:2])
}

// nearFlags are the command's flags with a name like the one that was typed, but none that
// moves money. A single letter is like none.
func nearFlags(cmd *cobra.Command, typed string) (near []string) {
	if len(typed) < 2 {
		return nil
	}
	money := strings.Fields(cmd.Root().Annotations[moneyFlagsKey])
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden && !slices.Contains(money, flag.Name) && similar(typed, flag.Name) {
			near = append(near, "--"+flag.Name)
		}
	})
	return near
}

// similar reports whether one word may be a slip of the finger for another.
func similar(typed, name string) bool {
	typed = strings.ToLower(typed)
	if len(typed) >= 3 && strings.HasPrefix(name, typed) {
		return true
	}
	return distance(typed, name) <= max(1, len(name)/4)
}

// distance counts the letters to insert, delete, change or swap with their neighbour.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
		for j := range rows[i] {
			if i == 0 {
				rows[i][j] = j
				continue
			}
			if j == 0 {
				continue
			}
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
