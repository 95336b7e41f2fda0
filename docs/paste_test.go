package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLinesCanBePasted holds every command of a page to what a reader's shell needs: a
// passphrase file that is found from any folder, and a curl that fails when the server
// refuses, as set -e expects.
func TestLinesCanBePasted(t *testing.T) {
	relative := regexp.MustCompile(`ETH_PASSWORD=[^/~%$"\s]`)
	posts := regexp.MustCompile(`\bcurl [^|;]*POST`)
	for _, path := range everyPage(t) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for n, line := range strings.Split(string(text), "\n") {
			assert.NotRegexp(t, relative, line, "%s:%d: the path depends on the folder", path, n+1)
			for _, call := range posts.FindAllString(line, -1) {
				assert.Contains(t, call, "--fail-with-body", "%s:%d", path, n+1)
			}
		}
	}
}
