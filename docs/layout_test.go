package docs

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryPackageHasARoom finds each package's folder in layout.md, and each folder that
// it names on the disk.
func TestEveryPackageHasARoom(t *testing.T) {
	text, err := os.ReadFile("layout.md")
	require.NoError(t, err)
	_, rooms, found := strings.Cut(string(text), "\n## Packages\n")
	require.True(t, found)
	named := make(map[string]bool)
	for line := range strings.Lines(rooms) {
		cell, is := strings.CutPrefix(line, "| `")
		if !is {
			continue
		}
		cell, _, _ = strings.Cut(cell, "` |")
		for _, folder := range strings.Split(cell, "`, `") {
			named[folder] = true
			require.DirExists(t, "../"+folder)
		}
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}", "./...")
	list.Dir = ".."
	out, err := list.Output()
	require.NoError(t, err)
	for path := range strings.Lines(string(out)) {
		folder := strings.TrimPrefix(strings.TrimSpace(path), "github.com/pmctl/pmctl")
		if folder != "" && !named[folder[1:]] {
			t.Errorf("layout.md does not say what lives in %s", folder[1:])
		}
	}
}
