// Package page writes text for people: fields, tables and paragraphs that fit the width of a
// terminal, and are coloured where that is wanted.
package page

import (
	"io"
	"slices"
	"strings"
)

// DefaultWidth is how many columns text for people has where no terminal says.
const DefaultWidth = 80

// Page is where text for people is written: it has a width, and may have colours. The first
// write that fails ends it: nothing is written after that, and Err says why.
type Page struct {
	io.Writer
	// Width is how many columns a line has.
	Width int

	// Bounded reports whether longer lines would be broken: in a pipe they are not.
	Bounded bool
	Colours

	err error
}

// Err is the error of the first write that failed.
func (p *Page) Err() error { return p.err }

func (p *Page) Write(text []byte) (n int, err error) {
	if p.err == nil {
		n, p.err = p.Writer.Write(text)
	}
	return n, p.err
}

// Print writes text as it is.
func (p *Page) Print(text string) { _, _ = io.WriteString(p, text) }

// Paragraph writes text in lines that fit, after an empty line.
func (p *Page) Paragraph(text string) { p.Print("\n" + Wrap(text, p.Width) + "\n") }

// Field is one line of a key–value listing: a name, and its value.
type Field [2]string

// If is text where it is to be shown, else "": Fields leaves its field out.
func If(shown bool, text string) string {
	if !shown {
		return ""
	}
	return text
}

// Fields writes key–value lines, aligned and wrapped, of the fields that have a value. Nothing is ever cut.
func (p *Page) Fields(all []Field) {
	fields, width := slices.DeleteFunc(slices.Clone(all), func(f Field) bool { return f[1] == "" }), 0
	for _, f := range fields {
		width = max(width, Columns(f[0]))
	}
	var b strings.Builder
	for _, f := range fields {
		p.Hang(&b, p.Dim(f[0])+strings.Repeat(" ", width-Columns(f[0]))+columnGap, f[1], FieldIndent)
	}
	p.Print(b.String())
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
