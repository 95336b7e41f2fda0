package format

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlainText: what is harmless stays as it is, also where a long text is cut.
func TestPlainText(t *testing.T) {
	require.Equal(t, "café", PlainText("café"))
	require.Equal(t, `"a\x1b[2J"`, PlainText("a\x1b[2J"))
	long := "a" + strings.Repeat("é", 300)
	require.Equal(t, "a"+strings.Repeat("é", 199)+"…", PlainText(long))
}

// TestDocumentsAreFitForATerminal: a recipient's text in a document does not act on the terminal that it is printed on.
func TestDocumentsAreFitForATerminal(t *testing.T) {
	text := "\u009b2Japp\u202e"
	for name, write := range map[string]func(*bytes.Buffer) error{
		"a document": func(b *bytes.Buffer) error { return Write(b, "pmctl.text", map[string]string{"text": text}) },
		"a line":     func(b *bytes.Buffer) error { return WriteLine(b, "pmctl.text", map[string]string{"text": text}) },
		"an error":   func(b *bytes.Buffer) error { return WriteError(b, Error{Message: text}) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, write(&out))
			require.Contains(t, out.String(), `"\u009b2Japp\u202e"`)
		})
	}
}
