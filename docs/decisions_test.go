package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	requirement = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)
	version     = regexp.MustCompile(`/v[0-9]+$`)
)

// TestEveryDependencyIsDecided finds each module that go.mod requires for our own sake in
// a page of the decisions, and each page in their index.
func TestEveryDependencyIsDecided(t *testing.T) {
	pages, err := filepath.Glob("decisions/*.md")
	require.NoError(t, err)
	index, err := os.ReadFile("decisions/README.md")
	require.NoError(t, err)
	var all strings.Builder
	for _, path := range pages {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		all.Write(text)
		if name := filepath.Base(path); name != "README.md" {
			require.Contains(t, string(index), "]("+name+")")
		}
	}
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	modules := requirement.FindAllStringSubmatch(string(mod), -1)
	require.Greater(t, len(modules), 15)
	for _, module := range modules {
		name := version.ReplaceAllString(module[1], "")
		require.True(t, strings.Contains(all.String(), name), "no page of the decisions says why %s is here", name)
	}
}
