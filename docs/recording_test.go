package docs

import (
	"fmt"
	"html"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRecording draws the session of session.md, which TestPages has run, as it would be
// seen on a terminal. -update writes the picture.
func TestRecording(t *testing.T) {
	p, err := readPage("session.md")
	require.NoError(t, err)
	picture := draw(p)
	if *update {
		require.NoError(t, os.WriteFile("session.svg", []byte(picture), 0o644))
	}
	was, err := os.ReadFile("session.svg")
	require.NoError(t, err)
	require.True(t, picture == string(was), "session.svg is not what session.md says: go test ./docs -run TestRecording -update")
}

const (
	lineHeight, margin = 18, 16
	columns            = 104
	charWidth          = 8
	// typing is how long a command takes to be typed, and reading how long its output
	// stands before the next one, in tenths of a second.
	typing, reading = 8, 12
)

// draw makes a picture of a terminal on which a page's commands appear one after the
// other, each with its output. Who wants no motion sees all of it at once.
func draw(p *page) string {
	var body strings.Builder
	y, at := margin+lineHeight, 5
	line := func(class, text string) {
		fmt.Fprintf(&body, `<text class="%s" x="%d" y="%d" style="animation-delay:%d.%ds">%s</text>`+"\n",
			class, margin, y, at/10, at%10, html.EscapeString(text))
		y += lineHeight
	}
	for _, s := range p.steps {
		if s.hidden {
			continue
		}
		for i, text := range strings.Split(s.command, "\n") {
			prompt := "$ "
			if i > 0 {
				prompt = ""
			}
			line("c", prompt+text)
		}
		at += typing
		for _, text := range p.printed(s) {
			line("o", text)
		}
		at += reading
	}
	height := y - lineHeight + margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" xml:space="preserve" role="img" aria-label="A session of pmctl">
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre; fill: #c9d1d9; animation: show 0.01s both; }
.c { fill: #7ee787; }
@keyframes show { from { opacity: 0; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { text { animation: none; } }
</style>
<rect width="100%%" height="100%%" rx="8" fill="#0d1117"/>
%s</svg>
`, columns*charWidth+2*margin, height, body.String())
}
