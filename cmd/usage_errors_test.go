package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/wallet/format"
)

// bareRun runs a line in a world without a home, a terminal or variables.
func bareRun(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := &cli.Env{
		In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now,
		Getenv: func(string) string { return "" }, SystemConfig: t.TempDir() + "/none",
	}
	code = Main(context.Background(), args, env)
	return code, out.String(), errs.String()
}

// libraryText is how the libraries below the command line say things.
var libraryText = regexp.MustCompile(`accepts |arg\(s\)|flag\(s\)|shorthand|strconv|parsing "|time: |invalid argument|flag needs an argument|if any flags|were all set|bad flag syntax|for "pmctl|Did you mean this`)

// requireOurError holds the error about a line to its form: pmctl's own words on one line,
// then a hint that names what to run. No hint repeats the line that failed.
func requireOurError(t *testing.T, args []string) (stderr string) {
	t.Helper()
	code, stdout, stderr := bareRun(t, args...)
	require.Equal(t, exitUsage, code, "%v: %s", args, stderr)
	require.Empty(t, stdout, args)
	var document struct{ Error format.Error }
	if json.Unmarshal([]byte(stderr), &document) == nil { // as the filters ask for
		stderr = "pmctl: " + document.Error.Message + "\nhint: " + document.Error.Hint + "\n"
	}
	require.NotRegexp(t, libraryText, stderr, args)
	lines := strings.SplitN(strings.TrimSuffix(stderr, "\n"), "\nhint: ", 2)
	require.Len(t, lines, 2, "%v has no hint: %s", args, stderr)
	require.Regexp(t, `^pmctl: [^\n]*[^.\n]$`, lines[0], args)
	require.Contains(t, lines[1], "pmctl", args)
	return stderr
}

func eachCommand(command *cobra.Command, do func(*cobra.Command)) {
	do(command)
	for _, child := range command.Commands() {
		eachCommand(child, do)
	}
}

// TestEveryCommandExplainsAWrongLine runs every command with every kind of line that its
// flags and arguments do not allow.
func TestEveryCommandExplainsAWrongLine(t *testing.T) {
	t.Parallel()
	lines := 0
	eachCommand(Tree(), func(command *cobra.Command) {
		path := strings.Fields(command.CommandPath())[1:]
		wrong := func(args ...string) string {
			lines++
			return requireOurError(t, append(slices.Clone(path), args...))
		}
		require.Contains(t, wrong("--frobnicate"), "pmctl: unknown flag --frobnicate for "+command.CommandPath()+"\n")
		require.Contains(t, wrong("-Z"), "unknown flag -Z")
		require.Contains(t, wrong("-qZ"), "unknown flag -Z")
		require.Contains(t, wrong("--=x"), "--=x")
		require.Contains(t, wrong("--profile"), "--profile needs a value: --profile NAME")
		if command.HasAvailableSubCommands() {
			require.Contains(t, wrong("frobnicate"), `unknown command "frobnicate" for `+command.CommandPath()+"\n")
			require.Contains(t, wrong("frobnicate", "--help"), "unknown command")
			require.Contains(t, wrong("-q", "frobnicate", "--frobnicate"), "unknown command")
			return
		}
		if command.Name() == "help" {
			return
		}
		takes := dialect.Positionals(command)
		if len(takes) > 0 && !takes[0].Optional {
			require.Contains(t, wrong(), "missing argument "+takes[0].Name)
		}
		if len(takes) == 0 || !takes[len(takes)-1].Repeats {
			require.Contains(t, wrong("a", "b", "c", "d"), "unexpected argument")
		}
		args := make([]string, len(takes))
		for i := range args {
			args[i] = "x"
		}
		var required []string
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			if dialect.Required(flag) {
				required = append(required, dialect.FlagName(flag))
			}
		})
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			given := append(slices.Clone(args), "--"+flag.Name)
			switch flag.Value.Type() {
			case "bool":
				require.Contains(t, wrong(given[len(args)]+"=maybe"), `"maybe": must be true or false`)
			case "string", "stringArray", "stringSlice", "intSlice":
				wrong(given...)
			default:
				for _, value := range []string{"x1", "0x10", "1_0", "+1", "1e1", " 1", "١"} {
					text := wrong(append(slices.Clone(given), value)...)
					require.Contains(t, text, fmt.Sprintf("--%s %q: must be ", flag.Name, value), command.CommandPath())
				}
				wrong(given...)
			}
		})
		for relation, says := range map[dialect.Relation]string{dialect.Exclusive: "exclude each other", dialect.Together: " requires --"} {
			for _, names := range dialect.Related(command, relation) {
				line := slices.Clone(args)
				for i, name := range names {
					if relation == dialect.Together && i > 0 {
						break
					}
					line = append(line, "--"+name+map[bool]string{true: "", false: "=1"}[command.Flags().Lookup(name).NoOptDefVal != ""])
				}
				for _, name := range required {
					name, _, _ = strings.Cut(name, " ")
					line = append(line, name+"=1")
				}
				require.Contains(t, wrong(line...), says, line)
			}
		}
		if len(required) > 0 {
			noun := map[bool]string{true: "flag ", false: "flags "}[len(required) == 1]
			require.Contains(t, wrong(args...), "missing "+noun+strings.Join(required, " and "))
		}
	})
	require.Greater(t, lines, 300)
}

// TestNumbersAreDecimal: a zero in front makes no flag's number an octal one.
func TestNumbersAreDecimal(t *testing.T) {
	t.Parallel()
	read := 0
	eachCommand(Tree(), func(command *cobra.Command) {
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			switch flag.Value.Type() {
			case "int", "uint64", "count", "descriptor":
				read++
				require.NoError(t, flag.Value.Set("010"))
				require.Equal(t, "10", flag.Value.String(), "%s --%s", command.CommandPath(), flag.Name)
				require.NoError(t, flag.Value.Set("9"))
				require.Equal(t, "9", flag.Value.String())
			}
		})
	})
	require.Greater(t, read, 10)
}

// TestSuggestions proposes what was nearly typed, at every level, and never what moves
// money: not for a typing error in its own name either.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"staus":                "did you mean pmctl status?",
		"stauts":               "did you mean pmctl status?",
		"hist":                 "did you mean pmctl history?",
		"acount":               "did you mean pmctl account?",
		"account lst":          "did you mean pmctl account list?",
		"account sho --help":   "did you mean pmctl account show?",
		"fund plam":            "did you mean pmctl fund plan?",
		"fund plann --face":    "did you mean pmctl fund plan?",
		"store chek":           "did you mean pmctl store check?",
		"tx wiat":              "did you mean pmctl tx wait?",
		"help staus":           "did you mean pmctl status?",
		"status --netwirk x":   "did you mean --network?",
		"pay x --max-fce":      "pmctl pay --help lists the flags",
		"pay x --max-face":     "did you mean --max-face-value?",
		"fund --max-fe 1":      "did you mean --max-fee?",
		"fund plan --deposi 1": "did you mean --deposit-multiplier?",
		"fund plan --face-val": "did you mean --face-value?",
		"environment":          "run pmctl help environment",
		"exitcodes":            "run pmctl help exit-codes",
	} {
		require.Contains(t, requireOurError(t, strings.Fields(line)), want, line)
	}
	for _, line := range []string{
		"init", "exi", "exits", "fnud", "funds plan", "fundd", "pya", "unlok", "widraw", "tx bum", "tx sendd", "tx cancell", "tx singn",
		"ticket batc", "ticket delive", "ticket reedem", "unlock cancl", "unlock cance --yes",
		"fund --deposi 1eth", "fund --reserv 1eth", "fund --ye", "fund --cancel-unloc", "pay x --valu 1gwei", "exit --keep-depos 1",
		"fund 1eth", "fund deposit 1eth", "deposit", "topup 1eth", "withdrawFunds", "cancel-unlock", "cashout", "send", "invoke", "mint", "redeem", "account export --ra",
	} {
		stderr := requireOurError(t, strings.Fields(line))
		_, hint, _ := strings.Cut(stderr, "\nhint: ")
		require.NotContains(t, hint, "did you mean", line)
		// What moves money is named for its help alone, and without flags.
		require.Regexp(t, `--help`, hint, line)
		require.NotRegexp(t, `--(deposit|reserve|value|yes|keep|raw)`, hint, line)
	}
}

// TestWordsOfUsageErrors has the mistakes that the form of a line allows for.
func TestWordsOfUsageErrors(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"config":                        "pmctl config needs a subcommand: show",
		"params":                        "pmctl params needs a subcommand: fetch or show",
		"tx":                            "pmctl tx needs a subcommand: bump, cancel, list, send, show, sign or wait",
		"-version":                      "did you mean --version?",
		"status -watch":                 "unknown flag -watch for pmctl status\nhint: did you mean --watch?",
		"pay http://a -value 3000gwei":  "unknown flag -value for pmctl pay\nhint: did you mean --value? pmctl pay --help",
		"status -output json":           "unknown flag -output for pmctl status\nhint: did you mean --output?",
		"call http://a -data=X":         "unknown flag -data for pmctl call\nhint: did you mean --data?",
		"call http://a -d -data":        "HOME is not set",
		"account -help":                 "unknown flag -help for pmctl account\nhint: did you mean --help?",
		"pay http://a --value 1.5wei":   `"1.5wei" has 1 decimal, wei has at most 0`,
		"fund":                          "no amount to fund: pass --deposit AMOUNT, --reserve AMOUNT, or both",
		"fund --deposit 0.1ethers":      `unknown unit "ethers"; write it as 0.1eth`,
		"fund --deposit 1":              `amount has no unit: "1"; write it as 0.1eth, 25gwei or 1000wei`,
		"pay http://a --value 1.5.eth":  `not an amount: "1.5.eth"`,
		"pay http://a --value 0eth":     "--value must be more than 0, such as 3000gwei or 0.00001eth",
		"pay http://a --value 3000Gwie": `unknown unit "Gwie"`,
	} {
		_, _, stderr := bareRun(t, strings.Fields(line)...)
		require.Contains(t, stderr, want, line)
	}
}

// TestMoneyIsMarked: what confirms before it acts, signs tickets or delivers them is kept
// out of the suggestions.
func TestMoneyIsMarked(t *testing.T) {
	t.Parallel()
	marked := 0
	eachCommand(Tree(), func(command *cobra.Command) {
		flags := command.Flags()
		moves := flags.Lookup("max-fee") != nil && flags.Lookup("yes") != nil || flags.Lookup("confirmations") != nil && flags.Lookup("max-fee") != nil ||
			flags.Lookup("inactive-ok") != nil
		if moves {
			marked++
			require.True(t, dialect.MovesMoney(command), command.CommandPath())
		}
		if dialect.MovesMoney(command) {
			require.NotContains(t, []string{"status", "plan"}, command.Name())
		}
	})
	require.Greater(t, marked, 8)
}

// TestNoKeyIsRepeated: what could be a private key is in no error, wherever it stands.
func TestNoKeyIsRepeated(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("5a", 32)
	for _, line := range [][]string{
		{key}, {"account", key}, {"account", "import", "x", key}, {"status", "x", key}, {"fund", key}, {"help", key},
		{"status", "--" + key}, {"status", "-" + key}, {"status", "--=" + key}, {"status", "--timeout", key}, {"status", "--key-fd=0x" + key}, {"--color", key},
	} {
		code, stdout, stderr := bareRun(t, line...)
		require.Equal(t, exitUsage, code, stderr)
		require.NotContains(t, stdout+stderr, key[:16], line)
	}
}

// TestUsageErrorsAreDocuments: with --output json a wrong line is one document, wherever
// the flag stands.
func TestUsageErrorsAreDocuments(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"staus -o json", "pay -o json", "fund plan --output=json", "status --frobnicate -o json", "account -ojson"} {
		code, _, stderr := bareRun(t, strings.Fields(line)...)
		require.Equal(t, exitUsage, code)
		var document struct {
			Kind  string `json:"kind"`
			Error struct {
				Code string `json:"code"`
				Hint string `json:"hint"`
			} `json:"error"`
		}
		require.NoError(t, json.Unmarshal([]byte(stderr), &document), stderr)
		require.Equal(t, "pmctl.error", document.Kind)
		require.Equal(t, "usage", document.Error.Code)
		require.NotEmpty(t, document.Error.Hint)
	}
}
