// Package metricstest checks metrics for what Prometheus would refuse, in tests.
package metricstest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	sampleLine = regexp.MustCompile(`^([a-z][a-z0-9_]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)$`)
	labelName  = regexp.MustCompile(`([a-z_]+)="(?:[^"\\]|\\.)*"`)
	ofType     = regexp.MustCompile(`_(seconds|wei)_[a-z_]*(seconds|wei)|_(ms|days|hours|minutes|eth|gwei|counter|gauge|count|sum|bucket|info)(_|$)`)
)

// Lint fails for what Prometheus would refuse or promtool complains of, and for other labels
// than those. It returns the names of the metrics.
func Lint(t *testing.T, text string, labels ...string) (names []string) {
	t.Helper()
	require.True(t, strings.HasSuffix(text, "\n"))
	var current, kind string
	series := make(map[string]bool)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		if help, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, about, _ := strings.Cut(help, " ")
			require.NotEmpty(t, about, line)
			require.NotContains(t, names, name, "it comes twice")
			names, current = append(names, name), name
			require.Regexp(t, `^# TYPE `+name+` (gauge|counter|histogram)$`, lines[i+1])
			require.Regexp(t, `^pmctl_[a-z0-9_]+$`, name)
			require.NotRegexp(t, ofType, name, "base units, and no type in a name")
			continue
		}
		if _, ok := strings.CutPrefix(line, "# TYPE "); ok {
			kind = line[strings.LastIndex(line, " ")+1:]
			require.Equal(t, kind == "counter", strings.HasSuffix(current, "_total"), "%s is a %s", current, kind)
			continue
		}
		found := sampleLine.FindStringSubmatch(line)
		require.NotNil(t, found, line)
		allowed := labels
		if kind == "histogram" {
			require.Regexp(t, `^`+current+`_(bucket|sum|count)$`, found[1])
			allowed = append(slices.Clone(labels), "le")
		} else {
			require.Equal(t, current, found[1], "the samples of a metric stand together, below its help")
		}
		require.False(t, series[found[1]+found[2]], "%s comes twice", line)
		series[found[1]+found[2]] = true
		value, err := strconv.ParseFloat(found[3], 64)
		require.NoError(t, err, line)
		require.False(t, kind != "gauge" && value < 0, line)
		for _, label := range labelName.FindAllStringSubmatch(found[2], -1) {
			require.Contains(t, allowed, label[1], line)
		}
	}
	return names
}
