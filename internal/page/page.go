// Package page writes text for people: fields, tables and paragraphs that fit the width of a
// terminal, and are coloured where that is wanted.
package page

import (
	"fmt"
	"io"
	"strings"
)

// DefaultWidth is how many columns text for people has where no terminal says.
const DefaultWidth = 80

// Page is where text for people is written: it has a width, and may have colours.
type Page struct {
	io.Writer
	// Width is how many columns a line has.
	Width int

	// Bounded tells that longer lines would be broken: in a pipe they are not.
	Bounded bool
	Colours
}

// Print writes text as it is.
func (p *Page) Print(text string) error {
	_, err := io.WriteString(p, text)
	return err
}

// Paragraph writes text in lines that fit, after an empty line.
func (p *Page) Paragraph(text string) error { return p.Print("\n" + Wrap(text, p.Width) + "\n") }

// Field is one line of a key–value listing: a name, and its value.
type Field [2]string

// Fields writes key–value lines, aligned and wrapped. Nothing is ever cut.
func (p *Page) Fields(fields []Field) error {
	width := 0
	for _, f := range fields {
		width = max(width, Columns(f[0]))
	}
	var b strings.Builder
	for _, f := range fields {
		p.Hang(&b, p.Dim(f[0])+strings.Repeat(" ", width-Columns(f[0]))+columnGap, f[1], FieldIndent)
	}
	return p.Print(b.String())
}

// Paragraphs writes lists of fields, with an empty line between them.
func (p *Page) Paragraphs(lists [][]Field) error {
	for i, fields := range lists {
		if i > 0 {
			if _, err := fmt.Fprintln(p); err != nil {
				return err
			}
		}
		if err := p.Fields(fields); err != nil {
			return err
		}
	}
	return nil
}

// FieldIndent is where values stand that have a word too long for the room beside their
// name.
const FieldIndent = 2

// Hang writes text behind a label, and the lines that do not fit there under its own
// beginning. A text with a word that is too long for that stands below the label.
func (p *Page) Hang(b *strings.Builder, label, text string, underneath int) {
	room := p.Width - Columns(label)
	for _, piece := range pieces(text) {
		if Columns(piece) > room && Columns(label) > underneath {
			b.WriteString(strings.TrimRight(label, " ") + "\n")
			label, room = strings.Repeat(" ", underneath), p.Width-underneath
		}
	}
	if Columns(text) > room {
		text = Wrap(text, room)
	}
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.TrimRight(label+line, " ") + "\n")
		label = strings.Repeat(" ", Columns(label))
	}
}
