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
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile("(?m)^#+ +(.*)$")
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
)

// TestLinks finds what every link within the repository points to, down to the heading.
func TestLinks(t *testing.T) {
	for _, path := range everyPage(t) {
		text := readProse(t, path)
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(found[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", path, found[1])
				continue
			}
			if anchor != "" && filepath.Ext(target) == ".md" {
				require.Contains(t, anchors(readProse(t, target)), anchor, "%s: the link to %s", path, found[1])
			}
		}
	}
}

// everyPage is the Markdown that belongs to the project.
func everyPage(t *testing.T) (pages []string) {
	t.Helper()
	for _, pattern := range []string{"../*.md", "*.md", "*/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	return pages
}

// readProse is a page without its blocks of code.
func readProse(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return fenced.ReplaceAllString(string(text), "")
}

// anchors are what a page's headings are linked by.
func anchors(text string) (all []string) {
	odd := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, found := range heading.FindAllStringSubmatch(text, -1) {
		name := odd.ReplaceAllString(strings.ToLower(found[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}
