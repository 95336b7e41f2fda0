package page

import (
	"strings"
	"unicode"

	"github.com/pmctl/pmctl/internal/words"
)

// maxMessage is how many characters of a message people are shown: nodes answer with
// whole web pages.
const maxMessage = 4000

// PlainLines makes untrusted text fit for a terminal: what nodes and recipients answer
// is in messages, and control characters of theirs could rewrite what is on the screen.
// Lines stay lines.
func PlainLines(text string) string {
	return words.Cut(strings.ReplaceAll(Plain(text), "\t", " "), maxMessage)
}

// Plain is text of any length without control characters other than the tab.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || unicode.IsGraphic(r):
			return r
		case r == '\r':
			return ' '
		}
		return unicode.ReplacementChar
	}, text)
}
