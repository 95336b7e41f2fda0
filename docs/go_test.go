package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// TestGoCode finds each piece of Go that a page shows in the packages' examples, which
// their own tests run.
func TestGoCode(t *testing.T) {
	var examples []byte
	for _, name := range []string{"../pm/example_test.go", "../wallet/example_test.go"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		examples = append(examples, text...)
	}
	page, err := os.ReadFile("go.md")
	require.NoError(t, err)
	blocks := goBlock.FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		require.Contains(t, unindented(string(examples)), unindented(block[1]))
	}
}

// unindented is code without its lines' indentation.
func unindented(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimLeft(line, "\t"))
	}
	return b.String()
}
