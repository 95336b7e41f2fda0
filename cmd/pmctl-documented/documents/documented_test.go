package documents

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestADocumentThatIsNotDocumented(t *testing.T) {
	kinds := t.TempDir()
	good := `{"kind":"pmctl.version","version":2,"data":{"version":"1","go":"1","os":"a","arch":"b"}}`
	require.NoError(t, Conform([]byte(good), true, kinds))
	require.NoError(t, Conform([]byte(good+good[:20]), false, kinds))
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
			require.ErrorContains(t, Conform([]byte(c.text), true, kinds), c.says)
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
