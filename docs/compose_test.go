package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheComposeFileFits: the signer has each flag that the Compose file passes, and the files of
// the repository that it mounts exist. Files of secrets are the operator's.
func TestTheComposeFileFits(t *testing.T) {
	const folder = "../packaging/compose"
	text, err := os.ReadFile(filepath.Join(folder, "compose.yaml"))
	require.NoError(t, err)
	reference, err := os.ReadFile("cli.md")
	require.NoError(t, err)
	_, serve, found := strings.Cut(string(reference), "\n## pmctl signer serve\n")
	require.True(t, found)
	serve, _, _ = strings.Cut(serve, "\n## ")
	flags := regexp.MustCompile(`(?m)^ +- (--[a-z-]+)=`).FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(flags), 5)
	for _, flag := range flags {
		require.Regexp(t, flag[1]+" [A-Z]", serve)
	}
	mounts := regexp.MustCompile(`(?m)^ +- (\.{1,2}/[^:]+):`).FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(mounts), 3)
	for _, mount := range mounts {
		if !strings.HasPrefix(mount[1], "./secrets/") {
			require.FileExists(t, filepath.Join(folder, mount[1]))
		}
	}
}
