package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd"
	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
)

// sections splits a man page by its headings.
func sections(page string) map[string]string {
	found := make(map[string]string)
	for _, part := range strings.Split(page, "\n.SH ")[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		found[strings.Trim(heading, `"`)] = text + "\n"
	}
	return found
}

func TestManPagesHaveStatusEnvironmentAndFiles(t *testing.T) {
	for _, c := range all(cmd.Tree()) {
		page := sections(string(manPage(c)))
		for _, heading := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"} {
			require.Contains(t, page, heading, c.CommandPath())
		}
		for _, m := range cli.ExitMeanings() {
			require.Contains(t, page["EXIT STATUS"], "\\fB"+strconv.Itoa(m.Code)+"\\fR\n"+roff(m.Meaning)+"\n")
		}
		for _, list := range cli.Environment() {
			for _, entry := range list.Entries {
				require.Contains(t, page["ENVIRONMENT"], "\\fB"+roff(entry[0])+"\\fR\n"+roff(entry[1])+"\n")
			}
		}
		for _, file := range cli.Files() {
			require.Contains(t, page["FILES"], "\\fI"+roff(file[0])+"\\fR\n"+roff(file[1])+"\n")
		}
		if c.Example != "" {
			require.Contains(t, page, "EXAMPLES", c.CommandPath())
		}
	}
}

func TestManPagesHaveOptionsInGroups(t *testing.T) {
	for _, c := range all(cmd.Tree()) {
		options := sections(string(manPage(c)))["OPTIONS"]
		for _, group := range dialect.FlagGroups(c) {
			require.Contains(t, options, ".SS \""+group.Heading+"\"\n", c.CommandPath())
		}
	}
	pay, _, err := cmd.Tree().Find([]string{"pay"})
	require.NoError(t, err)
	options := sections(string(manPage(pay)))["OPTIONS"]
	require.Contains(t, options, ".TP\n\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFORMAT\\fR\n")
	require.Contains(t, options, ".TP\n\\fB\\-\\-inactive\\-ok\\fR\n")
}

func TestManPageOfPmctlListsCommandsByGroup(t *testing.T) {
	tree := cmd.Tree()
	commands := sections(string(manPage(tree)))["COMMANDS"]
	groups := dialect.CommandGroups(tree)
	require.Greater(t, len(groups), 1)
	for _, group := range groups {
		_, text, found := strings.Cut(commands, ".SS \""+group.Heading+"\"\n")
		require.True(t, found, group.Heading)
		text, _, _ = strings.Cut(text, ".SS ")
		for _, c := range group.Commands {
			require.Contains(t, text, "\\fB"+roff(c.CommandPath())+"\\fR\n"+roff(c.Short)+"\n")
		}
	}
}

// findGroff finds what formats man pages: most Linux systems have it.
func findGroff(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("groff")
	if err != nil && os.Getenv("PMCTL_REQUIRE_DOCS") == "" {
		t.Skip("groff is not installed")
	}
	require.NoError(t, err)
	return path
}

// TestDescriptionsFit formats the descriptions for 80 columns.
func TestDescriptionsFit(t *testing.T) {
	groff := findGroff(t)
	for _, c := range all(cmd.Tree()) {
		run := exec.Command(groff, "-man", "-Kutf8", "-Tutf8", "-P-cbou", "-rLL=80n")
		run.Stdin = strings.NewReader(".TH X 1\n.SH DESCRIPTION\n" + sections(string(manPage(c)))["DESCRIPTION"])
		shown, err := run.Output()
		require.NoError(t, err)
		for line := range strings.SplitSeq(string(shown), "\n") {
			require.LessOrEqual(t, utf8.RuneCountInString(line), 80, "%s: %s", c.CommandPath(), line)
		}
	}
}

func TestRoffKeepsText(t *testing.T) {
	require.Equal(t, `\&.profile`, roff(".profile"))
	require.Equal(t, `\&'x'`, roff("'x'"))
	require.Equal(t, `a\\b \-\-value`, roff(`a\b --value`))
	require.Equal(t, "one\n\\&.two", roff("one\n.two"))
}

// TestManPagesAreCleanRoff: groff has nothing to warn of.
func TestManPagesAreCleanRoff(t *testing.T) {
	groff := findGroff(t)
	for _, c := range all(cmd.Tree()) {
		run := exec.Command(groff, "-ww", "-man", "-Kutf8", "-Tutf8", "-z")
		run.Stdin = strings.NewReader(string(manPage(c)))
		said, err := run.CombinedOutput()
		require.NoError(t, err, "%s: %s", c.CommandPath(), said)
		require.Empty(t, string(said), c.CommandPath())
	}
}
