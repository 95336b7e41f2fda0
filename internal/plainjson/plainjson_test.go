package plainjson

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatATerminalWouldObey(t *testing.T) {
	for text, want := range map[string]string{
		"plain {\"a\": 1}\n":        `"plain {\"a\": 1}\n"`,
		"Zürich, 東京, 🙂":             `"Zürich, 東京, 🙂"`,
		"\x1b[31m":                  `"\u001b[31m"`,
		"\u009b31m":                 `"\u009b31m"`, // the same as one character
		"\x7f":                      `"\u007f"`,
		"\u202egnp.exe\u2066":       `"\u202egnp.exe\u2066"`, // from right to left
		"\U000e0041":                `"\udb40\udc41"`,        // a tag, which is not shown
		"a\u200db\u2028c\ufeff\xff": `"a\u200db\u2028c\ufeff\ufffd"`,
	} {
		var out bytes.Buffer
		require.NoError(t, json.NewEncoder(Writer{&out}).Encode(text))
		require.Equal(t, want+"\n", out.String())
		var got string
		require.NoError(t, json.Unmarshal(out.Bytes(), &got))
		require.Equal(t, string([]rune(text)), got)
	}
}
