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
	require.Greater(t, provedPromises(t, "safety.md"), 40)
}

// provedPromises counts the promises of a page.
func provedPromises(t *testing.T, page string) int {
	t.Helper()
	text, err := os.ReadFile(page)
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
	return promises
}

// TestTheSignersPromisesAreProved finds the tests that the signer's promises name.
func TestTheSignersPromisesAreProved(t *testing.T) {
	require.Greater(t, provedPromises(t, "signer-promises.md"), 10)
}

// TestSecurityNamesItsTests finds the tests that the threat model names.
func TestSecurityNamesItsTests(t *testing.T) {
	text, err := os.ReadFile("../SECURITY.md")
	require.NoError(t, err)
	exist := everyTest(t)
	proofs := regexp.MustCompile("`(Test\\w+|\\w+\\.txtar)`").FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(proofs), 15)
	for _, proof := range proofs {
		require.Contains(t, exist, proof[1])
	}
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
