package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryCheckIsInTheTable holds the table of checks to the scripts that run them, the
// workflow to the parts of the nightly script, and both to the Makefile.
func TestEveryCheckIsInTheTable(t *testing.T) {
	read := func(path string) string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(text)
	}
	page, makefile := read("decisions/ci.md"), read("../Makefile")
	runs := make(map[string]string) // when a check runs, by its name
	for _, row := range regexp.MustCompile("(?m)^\\| (?:`make ([a-z-]+)`|([a-z ]+)) \\| .+ \\| (.+) \\|$").FindAllStringSubmatch(page, -1) {
		runs[row[1]+strings.ReplaceAll(row[2], " ", "_")] = row[3]
		if row[1] != "" {
			require.Contains(t, makefile, "\n"+row[1]+":", "no such target")
		}
	}
	step := regexp.MustCompile(`\bstep (?:make )?([a-z_-]+)`)
	for script, when := range map[string]string{"run": "per change", "nightly": "nightly"} {
		steps := step.FindAllStringSubmatch(read("../.ci/"+script), -1)
		require.Greater(t, len(steps), 8)
		ran := make(map[string]bool)
		for _, s := range steps {
			require.Contains(t, runs[s[1]], when, "%s runs in .ci/%s", s[1], script)
			ran[s[1]] = true
		}
		for check, said := range runs {
			if strings.Contains(said, when) && !strings.Contains(said, "a job of its own") {
				require.True(t, ran[check], "%s does not run in .ci/%s", check, script)
			}
		}
	}

	nightly := read("../.ci/nightly")
	parts := strings.Fields(regexp.MustCompile(`(?m)^parts=\((.+)\)$`).FindStringSubmatch(nightly)[1])
	require.Contains(t, read("../.github/workflows/nightly.yml"), "part: ["+strings.Join(parts, ", ")+"]")
	for _, part := range parts {
		require.Contains(t, nightly, "\n    "+part+") ")
	}
}
