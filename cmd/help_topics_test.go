package cmd

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
)

// TestTopicsHavePages: each topic that the help lists has a page, within the terminal's
// width.
func TestTopicsHavePages(t *testing.T) {
	t.Parallel()
	_, help, _ := bareRun(t, "--help")
	for _, topic := range cli.Topics() {
		require.Regexp(t, "(?m)^  "+topic.Name+" +"+regexp.QuoteMeta(topic.Short)+"$", help)
		code, text, stderr := bareRun(t, "help", topic.Name)
		require.Equal(t, exitDone, code, stderr)
		for line := range strings.Lines(text) {
			require.LessOrEqual(t, len([]rune(line)), page.DefaultWidth+1, line)
		}
	}
}

// TestExitCodesAreOneTable: the codes of the topic are those that commands end with, and the
// README's.
func TestExitCodesAreOneTable(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, page, _ := bareRun(t, "help", "exit-codes")
	for _, m := range cli.ExitMeanings() {
		require.Contains(t, string(readme), fmt.Sprintf("\n| %d | %s |\n", m.Code, m.Meaning))
		require.Regexp(t, fmt.Sprintf("(?m)^  %d +%s", m.Code, m.Meaning[:4]), page)
	}
	require.Len(t, cli.ExitMeanings(), 10)
}

// TestGlossaryIsOnePage: docs/glossary.md and the topic have the same words with the same
// meanings.
func TestGlossaryIsOnePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/glossary.md")
	require.NoError(t, err)
	plain := strings.NewReplacer("`", "", "**", "").Replace(string(page))
	words := 0
	for _, list := range cli.Glossary() {
		require.Contains(t, plain, "\n## "+list.Heading+"\n")
		for _, entry := range list.Entries {
			words++
			require.Contains(t, plain, "\n| "+entry[0]+" | "+entry[1]+" |\n")
		}
	}
	require.Equal(t, words, len(regexp.MustCompile(`(?m)^\| `).FindAllString(plain, -1))-len(cli.Glossary()), "the page has words that the topic lacks")
}

// TestEnvironmentIsWhole: what the code reads of the environment, and what help texts name,
// is in the topic.
func TestEnvironmentIsWhole(t *testing.T) {
	t.Parallel()
	listed := make(map[string]bool)
	for _, list := range cli.Environment() {
		for _, entry := range list.Entries {
			for name := range strings.SplitSeq(entry[0], ", ") {
				listed[name] = true
			}
		}
	}
	looksLikeOne := regexp.MustCompile(`^(HOME|TERM|PAGER|COLUMNS|LINES|NO_COLOR|GOMAXPROCS|CREDENTIALS_DIRECTORY|(PMCTL|ETH|XDG|PG)_?[A-Z_]+)$`)
	found := 0
	for _, root := range []string{".", "../wallet", "../keystore", "../internal"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && (strings.HasPrefix(entry.Name(), "pmctl-") || entry.Name() == "pgtest" || entry.Name() == "fulldisk" || entry.Name() == "devnet" || entry.Name() == "model") {
				return filepath.SkipDir
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				literal, ok := node.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				if text, err := strconv.Unquote(literal.Value); err == nil && looksLikeOne.MatchString(text) {
					found++
					require.True(t, listed[text], "%s reads %s, which pmctl help environment does not list", path, text)
				}
				return true
			})
			return nil
		}))
	}
	require.Greater(t, found, 15)
	eachCommand(Tree(), func(command *cobra.Command) {
		for _, name := range regexp.MustCompile(`\$([A-Z_]+)`).FindAllStringSubmatch(command.UsageString()+command.Long, -1) {
			require.True(t, listed[name[1]], "%s names %s", command.CommandPath(), name[0])
		}
	})
}

// TestDefaultsAreWrittenAsUsersDo finds no default such as 5m0s in the help.
func TestDefaultsAreWrittenAsUsersDo(t *testing.T) {
	text, err := os.ReadFile("../docs/cli.md")
	require.NoError(t, err)
	require.NotRegexp(t, `default [0-9]+[hm]0`, string(text))
}

// TestEveryCommandIsInAGroup of the first help page.
func TestEveryCommandIsInAGroup(t *testing.T) {
	t.Parallel()
	for _, command := range Tree().Commands() {
		require.NotEmpty(t, command.GroupID, command.Name())
	}
}

// TestDurationsAreReadAlike by every flag of the parser's own type: days and weeks, too.
func TestDurationsAreReadAlike(t *testing.T) {
	t.Parallel()
	found := 0
	eachCommand(Tree(), func(command *cobra.Command) {
		command.Flags().VisitAll(func(flag *pflag.Flag) {
			if flag.Value.Type() != "duration" {
				return
			}
			found++
			for text, want := range map[string]string{"90m": "1h30m0s", "2d": "48h0m0s", "1.5w": "252h0m0s"} {
				require.NoError(t, flag.Value.Set(text), "%s --%s %s", command.CommandPath(), flag.Name, text)
				require.Equal(t, want, flag.Value.String())
			}
		})
	})
	require.Greater(t, found, 10)
}
