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

var (
	requirement = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)
	version     = regexp.MustCompile(`/v[0-9]+$`)
	identifier  = regexp.MustCompile("`([A-Za-z][A-Za-z0-9]*)`")
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

// TestDecisionsNameWhatExists finds each name in the pages of the decisions in the code, the
// schemas of the store or the Makefile.
func TestDecisionsNameWhatExists(t *testing.T) {
	words := make(map[string]bool)
	word := regexp.MustCompile(`[A-Za-z][A-Za-z0-9]*`)
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && len(name) > 2 && name[0] == '.' {
			return filepath.SkipDir
		} else if ext := filepath.Ext(name); ext != ".go" && ext != ".sql" && name != "Makefile" {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, found := range word.FindAllString(string(text), -1) {
			words[found] = true
		}
		return err
	}))
	pages, err := filepath.Glob("decisions/*.md")
	require.NoError(t, err)
	for _, path := range pages {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, name := range identifier.FindAllSubmatch(text, -1) {
			require.True(t, words[string(name[1])], "%s names %s, which does not exist", path, name[1])
		}
	}
}
