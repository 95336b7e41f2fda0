package page

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlainLines(t *testing.T) {
	for text, want := range map[string]string{
		"two\nlines":               "two\nlines",
		"a\tb\r\nc":                "a b \nc",
		"\x1b[2Jpaid\a":            "�[2Jpaid�",
		"abc\u202egnp":             "abc�gnp", // right to left from here on
		"\xff\xfe":                 "��",
		"Ölçü 0,1 ETH – 5 gwei":    "Ölçü 0,1 ETH – 5 gwei",
		strings.Repeat("é", 4_001): strings.Repeat("é", 4_000) + "…",
	} {
		require.Equal(t, want, PlainLines(text))
	}
}
