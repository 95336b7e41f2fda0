package dialect

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/secret"
	"github.com/pmctl/pmctl/internal/words"
)

// flagError says what is wrong with the flags of a command line, instead of the parser's
// own error.
func flagError(cmd *cobra.Command, err error) error {
	see := cmd.CommandPath() + " --help lists the flags"
	var unknown *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if letters := unknown.GetSpecifiedShortnames(); letters != "" {
			name = "-" + letters
		}
		if near := nearFlags(cmd, strings.TrimLeft(name, "-")); len(near) > 0 {
			see = "did you mean " + words.OneOf(near) + "? " + see
		}
		if couldBeKey(name) {
			see, name = see+keyWarning(name), shown(name)
		}
		return hint.With(fmt.Errorf("unknown flag %s for %s", name, cmd.CommandPath()), "%s", see)
	case errors.As(err, &empty):
		return hint.With(fmt.Errorf("--%s needs a value: %s", empty.GetFlag().Name, FlagName(empty.GetFlag())), "%s", see)
	case errors.As(err, &invalid):
		flag, value := invalid.GetFlag(), invalid.GetValue()
		if secret.LooksLikeKey(value) {
			return hint.With(fmt.Errorf("--%s: the value looks like a private key", flag.Name), "see %s --help%s", cmd.CommandPath(), keyWarning(value))
		}
		rule := valueRule(flag.Value.Type())
		if rule == "" {
			rule = invalid.Unwrap().Error()
		}
		return hint.With(fmt.Errorf("--%s %q: %s", flag.Name, value, rule), "see %s --help", cmd.CommandPath())
	case errors.As(err, &syntax):
		word := syntax.GetSpecifiedFlag()
		return hint.With(fmt.Errorf("%s is not a flag: write --name VALUE or --name=VALUE", shown(word)), "%s", see+keyWarning(word))
	}
	return err
}

// valueRule says what a flag of one of the parser's own types takes, "" for other types:
// their errors say so themselves.
func valueRule(kind string) string {
	switch kind {
	case "bool":
		return "must be true or false"
	case "int":
		return "must be a whole number"
	case "uint", "uint64":
		return fmt.Sprintf("must be a whole number from 0 to %d", uint64(math.MaxUint64))
	case "intSlice":
		return "must be whole numbers, separated by commas"
	case "duration":
		return "must be a duration with its unit, such as 500ms, 30s, 5m, 2h or 30d"
	}
	return ""
}

// decimal is an integer of the parser's own, which alone reads 010 as 8, and takes 0x10 and 1_0.
type decimal struct{ pflag.Value }

func (d decimal) Set(text string) error {
	digits, negative := strings.CutPrefix(text, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return strconv.ErrSyntax
	}
	if digits = cmp.Or(strings.TrimLeft(digits, "0"), "0"); negative {
		digits = "-" + digits
	}
	return d.Value.Set(digits)
}

// length is a duration of the parser's own, which alone does not read days and weeks.
type length struct{ pflag.Value }

func (l length) Set(text string) error {
	d, err := duration.Parse(text)
	if err != nil {
		return err
	}
	return l.Value.Set(d.String())
}

// list is a list of the parser's own, which reads the first line of a value alone.
type list struct {
	pflag.Value
	pflag.SliceValue
}

func (l list) Set(text string) error {
	if strings.ContainsAny(text, "\r\n") {
		return errors.New("must be on one line, with commas between several values")
	}
	return l.Value.Set(text)
}

// readByOneRule makes a command's flags for integers read decimal digits alone, as amounts do, and
// those for durations read them as all other places do, and refuses lists that would lose a line.
func readByOneRule(flags *pflag.FlagSet) {
	flags.VisitAll(func(flag *pflag.Flag) {
		switch flag.Value.Type() {
		case "int", "uint", "uint64":
			flag.Value = decimal{flag.Value}
		case "duration":
			flag.Value = length{flag.Value}
		case "stringSlice":
			flag.Value = list{flag.Value, flag.Value.(pflag.SliceValue)}
		}
	})
}

// isEmpty reports whether a flag was given an empty value, as by a script whose variable is not set: it
// would count as not given, also if it is a limit. DATA can be empty, and a request ID has a check of its own.
func isEmpty(flag *pflag.Flag) bool {
	takes, _ := pflag.UnquoteUsage(flag)
	list, isList := flag.Value.(pflag.SliceValue)
	switch {
	case !flag.Changed || takes == "DATA" || flag.Name == "request-id":
		return false
	case isList:
		return len(list.GetSlice()) == 0
	}
	return flag.Value.String() == ""
}

// CheckFlags refuses a command line that lacks a required flag, has a flag without a value, or has flags
// that exclude or need each other.
func CheckFlags(cmd *cobra.Command) error {
	var missing []string
	var empty *pflag.Flag
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if Required(flag) && !flag.Changed {
			missing = append(missing, FlagName(flag))
		}
		if isEmpty(flag) {
			empty = flag
		}
	})
	usage := "usage: " + UsageLine(cmd) + "; see " + cmd.CommandPath() + " --help"
	if len(missing) > 0 {
		noun := "flag"
		if len(missing) > 1 {
			noun = "flags"
		}
		return hint.With(fmt.Errorf("missing %s %s", noun, strings.Join(missing, " and ")), "%s", usage)
	}
	if empty != nil {
		takes, _ := pflag.UnquoteUsage(empty)
		if takes == "FILE" {
			takes = "a file's name"
		}
		return hint.With(fmt.Errorf("--%s needs %s, and its value is empty", empty.Name, takes), "check the variable that it comes from, or leave the flag out")
	}
	if err := checkRelations(cmd); err != nil {
		return hint.With(err, "see %s --help", cmd.CommandPath())
	}
	return nil
}
