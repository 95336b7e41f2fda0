package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/page"
)

// pageOf is stdout of a process in an environment, at a terminal so many columns wide.
func pageOf(wide int, color string, environment ...string) *page.Page {
	r := NewRun(&Env{Out: io.Discard, Err: io.Discard, OutTerminal: wide > 0, Getenv: func(name string) string {
		for _, variable := range environment {
			if value, ok := strings.CutPrefix(variable, name+"="); ok {
				return value
			}
		}
		return ""
	}})
	if wide > 0 {
		r.OutSize = func() (int, int) { return wide, 24 }
	}
	r.color = color
	return OutPage(r)
}

func TestWidth(t *testing.T) {
	for _, c := range []struct {
		wide int
		env  string
		want int
	}{
		{0, "", 80},
		{140, "", 140},
		{140, "COLUMNS=100", 100},
		{0, "COLUMNS=100", 100},
		{140, "COLUMNS=wide", 140},
		{140, "COLUMNS=-5", 140},
		{3, "", 20},
	} {
		require.Equal(t, c.want, pageOf(c.wide, colorAuto, c.env).Width, c)
	}
}

func TestColours(t *testing.T) {
	for _, c := range []struct {
		wide       int
		color, env string
		want       bool
	}{
		{80, colorAuto, "TERM=xterm", true},
		{0, colorAuto, "TERM=xterm", false},
		{80, colorAuto, "NO_COLOR=1", false},
		{80, colorAuto, "TERM=dumb", false},
		{80, colorNever, "TERM=xterm", false},
		{0, colorAlways, "NO_COLOR=1", true},
	} {
		text := pageOf(c.wide, c.color, c.env).Green("ok")
		require.Equal(t, c.want, text == "\x1b[32mok\x1b[0m", "%v: %q", c, text)
		require.Equal(t, !c.want, text == "ok", "%v: %q", c, text)
	}
}
