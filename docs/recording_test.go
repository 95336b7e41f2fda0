package docs

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// picture is a terminal with commands and what they print.
type picture struct {
	name, title string
	steps       []step
}

var (
	shown   = regexp.MustCompile(`^!\[(.+)\]\((\w+\.svg)\)$`)
	svgText = regexp.MustCompile(`<text class="o"[^>]*>(.*)</text>`)
	svgTag  = regexp.MustCompile(`<[^>]*>`)
)

// pictures are a page's, each with the steps between it and the next heading.
func pictures(p *page) (found []picture) {
	for n, line := range p.lines {
		image := shown.FindStringSubmatch(line)
		if image == nil {
			continue
		}
		next := n + 1
		for next < len(p.lines) && !strings.HasPrefix(p.lines[next], "## ") {
			next++
		}
		drawn := picture{name: image[2], title: image[1]}
		for _, s := range p.steps {
			if !s.hidden && s.first > n && s.first < next {
				drawn.steps = append(drawn.steps, s)
			}
		}
		if len(drawn.steps) > 0 {
			found = append(found, drawn)
		}
	}
	return found
}

// TestRecording holds the pictures of session.md to its text, which TestPages holds to a
// run. With -update it runs the page in colour and draws them.
func TestRecording(t *testing.T) {
	p, err := readPage("session.md")
	require.NoError(t, err)
	drawn := pictures(p)
	require.Len(t, drawn, 4)
	if *update {
		record(t, p, drawn)
	}
	for _, d := range drawn {
		var want, got []string
		for _, s := range d.steps {
			want = append(want, p.printed(s)...)
		}
		svg, err := os.ReadFile(d.name)
		require.NoError(t, err)
		for _, line := range svgText.FindAllStringSubmatch(string(svg), -1) {
			got = append(got, html.UnescapeString(svgTag.ReplaceAllString(line[1], "")))
		}
		_, same := align(want, got)
		require.True(t, same, "%s shows\n%s\nand session.md\n%s\nTo draw it anew: make docs", d.name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	plot, err := os.ReadFile("runway.svg")
	require.NoError(t, err)
	require.Contains(t, string(plot), "on devnet</title>")
}

// spend makes a past that is worth a plot: payments large enough that tickets win, and are
// redeemed once their params have expired.
const spend = `for i in 1 2 3 4 5 6 7 8; do
	pmctl pay https://recipient.example --value 0.003eth --max-total-ev 1eth --quiet >/dev/null || exit
	pmctl-devnet mine 41 >/dev/null; sleep 4
done
pmctl runway --since 1m --plot runway.svg >/dev/null 2>&1`

// record runs a page with colours and draws its pictures, and the plot of a runway.
func record(t *testing.T, p *page, drawn []picture) {
	needPrograms(t)
	coloured := *p
	coloured.steps = append([]step{
		{hidden: true, command: `mkdir bin; printf '#!/bin/sh\nexec %s --color always "$@"\n' "$(command -v pmctl)" >bin/pmctl; chmod +x bin/pmctl; PATH=$HOME/bin:$PATH`},
	}, p.steps...)
	coloured.steps = append(coloured.steps, step{hidden: true, command: spend})
	w := newWorld(t, programs(t), networkOf(t, p))
	outputs := make(map[int][]string) // by the first line of a step
	for i, lines := range w.run(&coloured) {
		outputs[coloured.steps[i].first] = lines
	}
	for _, d := range drawn {
		printed := make([][]string, len(d.steps))
		for i, s := range d.steps {
			printed[i] = outputs[s.first]
		}
		require.NoError(t, os.WriteFile(d.name, []byte(draw(d, printed)), 0o644))
	}
	plot, err := os.ReadFile(filepath.Join(w.home, "runway.svg"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("runway.svg", plot, 0o644))
}

const (
	lineHeight, margin = 18, 16
	columns            = 100
	charWidth          = 8
	// typing is how long a command takes to be typed, and reading how long its output
	// stands before the next one, in tenths of a second.
	typing, reading = 8, 12
)

// draw makes a picture of a terminal on which commands appear one after the other, each
// with its output. With reduced motion all of it is there at once.
func draw(p picture, outputs [][]string) string {
	var body strings.Builder
	y, at, width := margin+lineHeight, 0, columns
	line := func(class, text string) {
		fmt.Fprintf(&body, `<text class="%s" x="%d" y="%d" style="animation-delay:%d.%ds">%s</text>`+"\n",
			class, margin, y, at/10, at%10, spans(text))
		width = max(width, len([]rune(escape.ReplaceAllString(text, ""))))
		y += lineHeight
	}
	for i, s := range p.steps {
		// What keeps the picture to the point is not part of it.
		command, _, _ := strings.Cut(s.command, " 2>/dev/null")
		for n, text := range strings.Split(command, "\n") {
			prompt := "$ "
			if n > 0 {
				prompt = "  "
			}
			line("c", prompt+strings.TrimPrefix(text, "  "))
		}
		if len(p.steps) > 1 {
			at += typing
		}
		for _, text := range outputs[i] {
			line("o", text)
		}
		at += reading
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" xml:space="preserve" role="img" aria-label="%s">
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: #e6edf3; animation: show 0.01s both; }
.c { fill: #79c0ff; font-weight: bold; }
.s1 { font-weight: bold; } .s2 { fill: #8b949e; } .s31 { fill: #ff7b72; } .s32 { fill: #7ee787; } .s33 { fill: #e3b341; } .s34 { fill: #79c0ff; } .s36 { fill: #76e3ea; }
@keyframes show { from { opacity: 0; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { text { animation: none; } }
</style>
<rect width="100%%" height="100%%" rx="8" fill="#0d1117"/>
%s</svg>
`, width*charWidth+2*margin, y-lineHeight+margin, html.EscapeString(p.title), body.String())
}

// escape is a change of a terminal's colour, or another of its commands.
var escape = regexp.MustCompile("\x1b\\[([0-9;?]*)([a-zA-Z])")

// spans turns a terminal's colours into those of a picture.
func spans(text string) string {
	var b strings.Builder
	var class []string
	write := func(part string) {
		switch {
		case part == "":
		case len(class) == 0:
			b.WriteString(html.EscapeString(part))
		default:
			fmt.Fprintf(&b, `<tspan class="%s">%s</tspan>`, strings.Join(class, " "), html.EscapeString(part))
		}
	}
	at := 0
	for _, found := range escape.FindAllStringSubmatchIndex(text, -1) {
		write(text[at:found[0]])
		at = found[1]
		if text[found[4]:found[5]] != "m" {
			continue
		}
		for code := range strings.SplitSeq(text[found[2]:found[3]], ";") {
			if code == "" || code == "0" {
				class = nil
			} else {
				class = append(class, "s"+code)
			}
		}
	}
	write(text[at:])
	return b.String()
}
