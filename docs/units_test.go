package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	unitFile = regexp.MustCompile(`(?ms)^<!-- file: (\S+\.(?:service|timer)) -->\n` + "```ini\n(.*?)^```$")
	cronFile = regexp.MustCompile(`(?ms)^<!-- file: crontab -->\n` + "```text\n(.*?)^```$")
)

// TestUnits has systemd read every unit that the pages show: a setting that it does not
// know, or would ignore, fails. Where there is no systemd it is passed over.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		require.Empty(t, os.Getenv("PMCTL_REQUIRE_DOCS"), "systemd-analyze is not here, and must be")
		t.Skip("systemd-analyze is not here")
	}
	dir := t.TempDir()
	found := 0
	for _, path := range everyPage(t) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, unit := range unitFile.FindAllStringSubmatch(string(text), -1) {
			found++
			// The programs must exist for systemd; these do.
			shown := regexp.MustCompile(`/usr/local/bin/[a-z-]+`).ReplaceAllString(unit[2], "/bin/true")
			require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(unit[1])), []byte(shown), 0o600))
		}
	}
	require.GreaterOrEqual(t, found, 3)
	units, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	out, err := exec.Command(analyze, append([]string{"--man=no", "--recursive-errors=no", "verify"}, units...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), dir, "systemd has something to say")
}

// TestUnitsShareNoFolder: systemd gives a state directory to the user of the unit that starts, and
// so takes it from a unit of another user that runs.
func TestUnitsShareNoFolder(t *testing.T) {
	services := make(map[string]string)
	for _, path := range everyPage(t) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, unit := range unitFile.FindAllStringSubmatch(string(text), -1) {
			services[unit[1]] = unit[2]
		}
	}
	signer, err := os.ReadFile("../packaging/systemd/pmctl-signer.service")
	require.NoError(t, err)
	services["pmctl-signer.service"] = string(signer)
	users := make(map[string]string)
	for name, text := range services {
		folder := regexp.MustCompile(`(?m)^StateDirectory=(.*)$`).FindStringSubmatch(text)
		if folder == nil {
			continue
		}
		user := name // a dynamic one
		if static := regexp.MustCompile(`(?m)^User=(.*)$`).FindStringSubmatch(text); static != nil {
			user = static[1]
		}
		before, taken := users[folder[1]]
		require.True(t, !taken || before == user, "%s is of %s and %s", folder[1], before, user)
		users[folder[1]] = user
	}
	require.Len(t, users, 2)
}

// TestCrontab counts the fields of every line of cron's.
func TestCrontab(t *testing.T) {
	page, err := os.ReadFile("cookbook.md")
	require.NoError(t, err)
	tables := cronFile.FindAllStringSubmatch(string(page), -1)
	require.NotEmpty(t, tables)
	entry := regexp.MustCompile(`^([0-9*/,-]+ ){5}([A-Z_]+=\S+ )*pmctl-top-up\b`)
	for _, table := range tables {
		for line := range strings.Lines(table[1]) {
			require.Regexp(t, entry, line)
			require.NotContains(t, line, "%", "cron takes it for a new line")
		}
	}
}
