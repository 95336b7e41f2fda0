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
	mounts := mountsOf(string(text))
	require.Greater(t, len(mounts), 3)
	for _, source := range mounts {
		if !strings.HasPrefix(source, "./secrets/") {
			require.FileExists(t, filepath.Join(folder, source))
		}
	}
}

// mountsOf are the files that a Compose file mounts into containers, by their paths there.
func mountsOf(compose string) map[string]string {
	mounts := make(map[string]string)
	for _, mount := range regexp.MustCompile(`(?m)^ +- (\.{1,2}/[^:\n]+):([^:\n]+)`).FindAllStringSubmatch(compose, -1) {
		mounts[mount[2]] = mount[1]
	}
	return mounts
}

// TestTheComposeFileWatches: Prometheus gets the alert rules that its configuration names, and
// Grafana the dashboard, where its provider looks for it.
func TestTheComposeFileWatches(t *testing.T) {
	const folder = "../packaging/compose"
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		return string(text)
	}
	only := func(pattern, text string) string {
		t.Helper()
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1)
		require.Len(t, found, 1, pattern)
		return found[0][1]
	}
	mounts := mountsOf(read("compose.yaml"))
	rules := only(`(?m)^rule_files: \[(.+)\]$`, read(mounts["/etc/prometheus/prometheus.yml"]))
	require.Equal(t, "../monitoring/alerts.yml", mounts[filepath.Join("/etc/prometheus", rules)])
	provider := mounts["/etc/grafana/provisioning/dashboards/pmctl.yaml"]
	require.NotEmpty(t, provider, "Grafana's dashboards are provisioned")
	dashboards := only(`(?m)^ +path: (.+)$`, read(provider))
	require.Equal(t, "../monitoring/dashboard.json", mounts[filepath.Join(dashboards, "pmctl-signer.json")])
	require.Contains(t, mounts, "/etc/grafana/provisioning/datasources/prometheus.yaml")
}
