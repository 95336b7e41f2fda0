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
		_, err := compile(kind)
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

func TestADocumentThatIsNotDocumented(t *testing.T) {
	t.Setenv(kindsVariable, t.TempDir())
	good := `{"kind":"pmctl.version","version":2,"data":{"version":"1","go":"1","os":"a","arch":"b"}}`
	require.NoError(t, conform([]byte(good), true))
	require.NoError(t, conform([]byte(good+good[:20]), false))
	for name, c := range map[string]struct{ text, says string }{
		"cut off":           {good[:20], "does not go on"},
		"no kind":           {`{"version":2}`, "without a kind"},
		"unknown kind":      {`{"kind":"pmctl.nothing","version":2,"data":{}}`, "describe them in docs/schemas/pmctl.nothing.json"},
		"another version":   {strings.Replace(good, `"version":2`, `"version":3`, 1), "version"},
		"an unknown field":  {strings.Replace(good, `"os"`, `"more":1,"os"`, 1), "more"},
		"a field less":      {strings.Replace(good, `"os":"a",`, ``, 1), "os"},
		"another type":      {strings.Replace(good, `"os":"a"`, `"os":1`, 1), "string"},
		"a ticket alone":    {`{"nonce":1,"sig":"0x"}`, "without a kind"},
		"the second of two": {good + "\n" + `{"kind":"pmctl.nothing","version":2,"data":{}}`, "pmctl.nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, conform([]byte(c.text), true), c.says)
		})
	}
}

// TestTheSchemasNoticeChanges shows that a schema which lets a field change is found.
func TestTheSchemasNoticeChanges(t *testing.T) {
	document := map[string]any{"a": "x", "list": []any{map[string]any{"b": true}}, "rows": map[string]any{"any": "name"}}
	var what []string
	for _, c := range changes(document, "") {
		what = append(what, c.what)
	}
	require.Equal(t, []string{
		"the name of /a", "the type of /a", "the name of /list", "the type of /list", "the name of /list/0/b", "the type of /list/0/b",
		"the name of /rows", "the type of /rows/any",
	}, what)
}
