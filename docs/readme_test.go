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
// index of its own, in docs/README.md, the way there in the README, and its two commands on
// its first screen.
func TestReadmeLeadsEverywhere(t *testing.T) {
	index, err := os.ReadFile("README.md")
	require.NoError(t, err)
	pages, err := filepath.Glob("*.md")
	require.NoError(t, err)
	for _, page := range append(pages, "decisions/README.md", "../SECURITY.md") {
		if page != "README.md" {
			require.Contains(t, string(index), "]("+page+")", "nothing leads there")
		}
	}
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	for _, page := range []string{"docs/README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE"} {
		require.Contains(t, string(text), "]("+page+")", "nothing leads there")
	}
	lines := strings.Split(string(text), "\n")
	require.Less(t, len(lines), 150)
	screen := strings.Join(lines[:24], "\n")
	require.Contains(t, screen, "\n$ make demo ")
	require.Contains(t, screen, "\n$ make test ")
}

// TestInstallable holds what the README says of installing to what there is: go install
// takes a module without replacements and packages that are programs, and a release is
// announced as soon as the changelog has one.
func TestInstallable(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	require.NotRegexp(t, `(?m)^(replace|exclude)\b`, string(mod), "go install refuses it")
	programs := regexp.MustCompile(`github\.com/pmctl/pmctl(\S*)@latest`).FindAllStringSubmatch(string(readme), -1)
	require.Len(t, programs, 2)
	for _, program := range programs {
		name, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Name}}", ".."+program[1]).Output()
		require.NoError(t, err)
		require.Equal(t, "main", strings.TrimSpace(string(name)))
	}
	changes, err := os.ReadFile("../CHANGELOG.md")
	require.NoError(t, err)
	released := regexp.MustCompile(`(?m)^## \[?v?\d`).Match(changes)
	require.Equal(t, !released, strings.Contains(string(readme), "There is no release yet."))
}
