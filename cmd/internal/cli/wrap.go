package cli

import (
	"strings"
	"unicode/utf8"
)

// FieldIndent is where values stand that have a word too long for the room beside their
// name.
const FieldIndent = 2

// Hang prints text behind a label, and the lines that do not fit there under its own
// beginning. A text with a word that is too long for that stands below the label.
func Hang(b *strings.Builder, label, text string, underneath int) {
	room := TerminalWidth - len(label)
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(word) > room && len(label) > underneath {
			b.WriteString(strings.TrimRight(label, " ") + "\n")
			label, room = strings.Repeat(" ", underneath), TerminalWidth-underneath
		}
	}
	if utf8.RuneCountInString(text) > room {
		text = Wrap(text, room)
	}
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.TrimRight(label+line, " ") + "\n")
		label = strings.Repeat(" ", len(label))
	}
}

// TerminalWidth is what tables fit into, on any terminal and in a pipe alike.
const TerminalWidth = 80

// Wrap breaks text at spaces into lines of at most width characters, where it can.
func Wrap(text string, width int) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+length > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += length
	}
	return b.String()
}

// wrapLines wraps those lines that are too long for a terminal, and leaves the others as
// they are.
func wrapLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if utf8.RuneCountInString(line) > TerminalWidth {
			lines[i] = Wrap(line, TerminalWidth)
		}
	}
	return strings.Join(lines, "\n")
}
