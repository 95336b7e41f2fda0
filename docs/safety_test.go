package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryPromiseIsProved finds the tests that the promises name, at least one for each.
func TestEveryPromiseIsProved(t *testing.T) {
	text, err := os.ReadFile("safety.md")
	require.NoError(t, err)
	promised, _, found := strings.Cut(string(text), "\n## What is not promised\n")
	require.True(t, found)

	exist := everyTest(t)
	name := regexp.MustCompile("`(Test\\w+|\\w+\\.txtar)`")
	promises := 0
	for line := range strings.Lines(strings.ReplaceAll(promised, "\n  ", " ")) {
		if !strings.HasPrefix(line, "- ") {
			continue
		}
		promises++
		proofs := name.FindAllStringSubmatch(line, -1)
		require.NotEmpty(t, proofs, "nothing proves: %s", line)
		for _, proof := range proofs {
			require.Contains(t, exist, proof[1], "it proves: %s", line)
		}
	}
	require.Greater(t, promises, 40)
}

// everyTest is the tests and scripts of the project, by name.
func everyTest(t *testing.T) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(\w+ \*testing\.T\)`)
	names := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(path, ".txtar"):
			names[entry.Name()] = true
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			for _, found := range declared.FindAllStringSubmatch(string(text), -1) {
				names[found[1]] = true
			}
			return err
		}
		return nil
	})
	require.NoError(t, err)
	return names
}
