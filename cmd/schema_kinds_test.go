package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd/pmctl-documented/documents"
	"github.com/pmctl/pmctl/docs/schemas"
)

// TestEveryKindHasASchema compares the kinds that the code names with the schemas that
// there are.
func TestEveryKindHasASchema(t *testing.T) {
	literal := regexp.MustCompile(`"(pmctl\.[a-z_]+)"`)
	named := make(map[string]bool)
	for _, pattern := range []string{"*.go", "[a-z]*/*.go", "internal/cli/*.go", "../wallet/*.go", "../wallet/format/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, found := range literal.FindAllSubmatch(text, -1) {
				named[string(found[1])] = true
			}
		}
	}
	documentation, err := os.ReadFile("../docs/formats.md")
	require.NoError(t, err)
	for kind := range named {
		_, err := documents.Compile(kind)
		require.NoError(t, err)
		require.True(t, strings.Contains(string(documentation), "[`"+kind+"`](schemas/"+kind+".json)"), "the table of docs/formats.md has no %s", kind)
	}
	for _, kind := range schemaKinds(t) {
		require.True(t, named[kind], "docs/schemas has %s, which nothing writes", kind)
	}
}

// schemaKinds are the kinds that have a schema.
func schemaKinds(t *testing.T) []string {
	files, err := fs.Glob(schemas.Files, "pmctl.*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	kinds := make([]string, len(files))
	for i, file := range files {
		kinds[i] = strings.TrimSuffix(file, ".json")
	}
	return kinds
}

// checkEveryKind fails unless the scripts, all of which have run, had pmctl write a
// document of every kind.
func checkEveryKind(t *testing.T, dir string) {
	for _, kind := range schemaKinds(t) {
		marks, err := filepath.Glob(filepath.Join(dir, kind+"@*"))
		assert.NoError(t, err)
		assert.NotEmpty(t, marks, "no script has pmctl write a %s as JSON", kind)
	}
}
