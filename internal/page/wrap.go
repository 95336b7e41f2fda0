package page

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// styles are what Page adds to text, which takes no room.
var styles = regexp.MustCompile("\x1b\\[[0-9]*m")

// Columns is how much room text takes on a line.
func Columns(text string) int {
	if strings.Contains(text, "\x1b") {
		text = styles.ReplaceAllString(text, "")
	}
	return utf8.RuneCountInString(text)
}

// pieces are the words of a text. A number stays with its unit.
func pieces(text string) []string {
	words := strings.Fields(text)
	joined := words[:0]
	for i, word := range words {
		if i > 0 && isNumber(words[i-1]) && isUnit(word) {
			joined[len(joined)-1] += " " + word
			continue
		}
		joined = append(joined, word)
	}
	return joined
}

// isNumber reports whether a word is a number that a unit can follow.
func isNumber(word string) bool {
	digits := strings.TrimLeft(word, "~+-(")
	return digits != "" && '0' <= digits[0] && digits[0] <= '9' && !strings.HasPrefix(digits, "0x") && !strings.ContainsAny(digits[len(digits)-1:], ",.;:)")
}

// isUnit reports whether a word can be the unit of a number before it.
func isUnit(word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	return first == '%' || 'a' <= first && first <= 'z' || 'A' <= first && first <= 'Z'
}

// Wrap breaks text at spaces into lines of at most width characters, where it can.
func Wrap(text string, width int) string {
	var b strings.Builder
	used := 0
	for i, piece := range pieces(text) {
		length := Columns(piece)
		switch {
		case i == 0:
		case used+1+length > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(piece)
		used += length
	}
	return b.String()
}

// WrapLines wraps those lines that are longer than width, and leaves the others as they are. What
// follows a name and a gap stays in its column, if that is in the left half.
func WrapLines(text string, width int) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if Columns(line) > width {
			rest := strings.TrimLeft(line[strings.LastIndex(line, columnGap)+1:], " ")
			name := strings.TrimSuffix(line, rest)
			if Columns(name) > width/2 {
				name, rest = "", line
			}
			indent := strings.Repeat(" ", Columns(name))
			lines[i] = name + strings.ReplaceAll(Wrap(rest, width-len(indent)), "\n", "\n"+indent)
		}
	}
	return strings.Join(lines, "\n")
}

// Reflow fits paragraphs to a width. Lines that are indented stay lines.
func Reflow(text string, width int) string {
	var b strings.Builder
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			b.WriteString(Wrap(strings.Join(paragraph, " "), width) + "\n")
			paragraph = nil
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if line == "" || line[0] == ' ' || line[0] == '\t' {
			flush()
			b.WriteString(line + "\n")
			continue
		}
		paragraph = append(paragraph, line)
	}
	flush()
	return strings.TrimRight(b.String(), "\n")
}
