package docs

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLinesCanBePasted holds every command of a page to what a reader's shell needs: a
// passphrase file that is found from any folder, and a curl that fails when the server
// refuses, as set -e expects.
func TestLinesCanBePasted(t *testing.T) {
	relative := regexp.MustCompile(`ETH_PASSWORD=[^/~%$"\s]`)
	posts := regexp.MustCompile(`\bcurl [^|;]*POST`)
	for _, path := range everyPage(t) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for n, line := range strings.Split(string(text), "\n") {
			assert.NotRegexp(t, relative, line, "%s:%d: the path depends on the folder", path, n+1)
			for _, call := range posts.FindAllString(line, -1) {
				assert.Contains(t, call, "--fail-with-body", "%s:%d", path, n+1)
			}
		}
	}
}

// TestScripts holds the scripts that the pages show to shellcheck, where it is installed,
// and the day of a gateway to what can be read at a glance.
func TestScripts(t *testing.T) {
	checker, err := exec.LookPath("shellcheck")
	page, readErr := os.ReadFile("cookbook.md")
	require.NoError(t, readErr)
	scripts := regexp.MustCompile("(?ms)^<!-- file: (\\S+) -->\n```(?:sh|bash)\n(#!.*?)^```$").FindAllStringSubmatch(string(page), -1)
	require.GreaterOrEqual(t, len(scripts), 3)
	for _, script := range scripts {
		if script[1] == "bin/day" {
			require.LessOrEqual(t, strings.Count(script[2], "\n"), 30)
			require.Contains(t, script[2], "set -euo pipefail")
		}
		if err != nil {
			continue
		}
		check := exec.CommandContext(t.Context(), checker, "-")
		check.Stdin = strings.NewReader(script[2])
		out, err := check.CombinedOutput()
		require.NoError(t, err, "%s: %s", script[1], out)
	}
}
