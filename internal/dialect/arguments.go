package dialect

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/secret"
	"github.com/pmctl/pmctl/internal/words"
)

// Positional is an argument that a command takes, as its usage line names it.
type Positional struct {
	Name              string
	Optional, Repeats bool
}

// Positionals returns the arguments in a command's usage line: those that belong to no
// flag.
func Positionals(cmd *cobra.Command) []Positional {
	var found []Positional
	flag := ""
	for _, word := range strings.Fields(strings.Replace(cmd.Use, " [flags]", "", 1))[1:] {
		name := strings.Trim(word, "[]")
		switch {
		case strings.HasPrefix(name, "-") && name != "-":
			flag = word
		case flag != "":
			// The flag's value, which is the last word of optional flags.
			if flag[0] != '[' || strings.HasSuffix(word, "]") {
				flag = ""
			}
		default:
			single, repeats := strings.CutSuffix(name, "…")
			found = append(found, Positional{Name: single, Optional: word != name, Repeats: repeats})
		}
	}
	return found
}

// TakesCommand reports whether what follows -- is a command line of another program.
func TakesCommand(cmd *cobra.Command) bool { return strings.Contains(cmd.Use, "[-- ") }

// UsageLine is how to call a command, without its optional flags.
func UsageLine(cmd *cobra.Command) string {
	return strings.Replace(cmd.UseLine(), " [flags]", "", 1)
}

// checkArguments refuses more or fewer arguments than the usage line has.
func checkArguments(cmd *cobra.Command, args []string) error {
	takes := Positionals(cmd)
	if dash := cmd.ArgsLenAtDash(); dash >= 0 && TakesCommand(cmd) {
		args = args[:dash] // what follows is a command of its own
	}
	usage := "usage: " + UsageLine(cmd) + "; see " + cmd.CommandPath() + " --help"
	for i, p := range takes {
		if i >= len(args) && !p.Optional {
			return hint.With(fmt.Errorf("missing argument %s", p.Name), "%s", usage)
		}
	}
	if len(args) <= len(takes) || len(takes) > 0 && takes[len(takes)-1].Repeats {
		return nil
	}
	allowed := "no arguments"
	if len(takes) > 0 {
		allowed = "at most " + words.Count(int64(len(takes)), "argument")
	}
	extra := args[len(takes)]
	return hint.With(fmt.Errorf("unexpected argument %s: %s takes %s", shown(extra), cmd.CommandPath(), allowed), "%s", usage+keyWarning(extra))
}

// shown is a word of the command line for an error, which does not repeat what could be a
// private key.
func shown(word string) string {
	if couldBeKey(word) {
		return "(64 hex digits)"
	}
	return strconv.Quote(word)
}

func couldBeKey(word string) bool { return secret.LooksLikeKey(strings.TrimLeft(word, "-=")) }

// keyWarning ends the hint of an error about a word that is not shown.
func keyWarning(word string) string {
	if !couldBeKey(word) {
		return ""
	}
	return "; if that was a private key, treat it as compromised: other users can see command lines"
}
