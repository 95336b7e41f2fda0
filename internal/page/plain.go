package page

import (
	"strings"
	"unicode"
)

// maxMessage is how many characters of a message people are shown: nodes answer with
// whole web pages.
const maxMessage = 4000

// PlainLines makes untrusted text fit for a terminal: what nodes and recipients answer
// is in messages, and control characters of theirs could rewrite what is on the screen.
// Lines stay lines.
func PlainLines(text string) string {
	text = strings.ReplaceAll(Plain(text), "\t", " ")
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "…"
	}
	return text
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
