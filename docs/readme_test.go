package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSoakReadmeDemo runs what make demo runs, and compares how it ends with what the first
// screen of the README says that it prints, luck and numbers apart.
func TestSoakReadmeDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs whole programs, which the race detector does not look into")
	}
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, shown, found := strings.Cut(string(readme), "\n$ make demo ")
	require.True(t, found)
	shown, _, found = strings.Cut(shown, "\n$ make test ")
	require.True(t, found)
	_, shown, found = strings.Cut(shown, "\n"+elided+"\n")
	require.True(t, found)

	bin := programs(t)
	demo := exec.CommandContext(t.Context(), filepath.Join(bin, "pmctl-demo"), "-bin", bin)
	out, err := demo.CombinedOutput()
	require.NoError(t, err, "%s", out)
	number := regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)
	require.True(t, strings.HasSuffix(number.ReplaceAllString(string(out), "N"), "\n"+number.ReplaceAllString(shown, "N")+"\n"),
		"the demo ends with\n%s\nand not\n%s", out[max(0, len(out)-300):], shown)
}

// TestReadmeLeadsEverywhere finds a link to every page, but those of a folder with an
// index of its own, in the README, and its two commands on its first screen.
func TestReadmeLeadsEverywhere(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	pages, err := filepath.Glob("*.md")
	require.NoError(t, err)
	for _, page := range append(pages, "decisions/README.md") {
		require.Contains(t, string(text), "](docs/"+page+")", "nothing leads there")
	}
	for _, page := range []string{"CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE"} {
		require.Contains(t, string(text), "]("+page+")", "nothing leads there")
	}
	screen := strings.Join(strings.Split(string(text), "\n")[:24], "\n")
	require.Contains(t, screen, "\n$ make demo ")
	require.Contains(t, screen, "\n$ make test ")
}
