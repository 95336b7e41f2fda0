package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/pmctl/pmctl/wallet/check"
)

// Page is where text for people is written: it has a width, and may have colours.
type Page struct {
	io.Writer
	// Width is how many columns a line has.
	Width int

	// bounded tells that longer lines would be broken: in a pipe they are not.
	bounded bool
	colours bool
}

// Page is stdout.
func (r *Run) Page() *Page { return r.PageOn(r.Out) }

// PageOn is stdout as w has it, which passes it on.
func (r *Run) PageOn(w io.Writer) *Page {
	width, known := r.width(r.OutSize)
	return &Page{w, width, known, r.colours(r.OutTerminal)}
}

// ErrPage is stderr.
func (r *Run) ErrPage() *Page {
	width, known := r.width(r.ErrSize)
	return &Page{r.Err, width, known, r.colours(r.ErrTerminal)}
}

// Styles of text, as terminals have them (ECMA-48).
const (
	styleBold   = "1"
	styleDim    = "2"
	styleRed    = "31"
	styleGreen  = "32"
	styleYellow = "33"
)

func (p *Page) style(code, text string) string {
	if !p.colours || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Green is a good verdict.
func (p *Page) Green(text string) string { return p.style(styleGreen, text) }

// Yellow is a verdict that asks for attention.
func (p *Page) Yellow(text string) string { return p.style(styleYellow, text) }

// Red is a bad verdict.
func (p *Page) Red(text string) string { return p.style(styleRed, text) }

// Dim is secondary.
func (p *Page) Dim(text string) string { return p.style(styleDim, text) }

// Bold is new.
func (p *Page) Bold(text string) string { return p.style(styleBold, text) }

// Verdict is text about how a check went, in its colour.
func (p *Page) Verdict(state check.State, text string) string {
	switch state {
	case check.OK:
		return p.Green(text)
	case check.Warning:
		return p.Yellow(text)
	case check.Failed:
		return p.Red(text)
	}
	return p.Dim(text)
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
		width = max(width, columns(f[0]))
	}
	var b strings.Builder
	for _, f := range fields {
		p.Hang(&b, p.Dim(f[0])+strings.Repeat(" ", width-columns(f[0]))+columnGap, f[1], FieldIndent)
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
	room := p.Width - columns(label)
	for _, piece := range pieces(text) {
		if columns(piece) > room && columns(label) > underneath {
			b.WriteString(strings.TrimRight(label, " ") + "\n")
			label, room = strings.Repeat(" ", underneath), p.Width-underneath
		}
	}
	if columns(text) > room {
		text = Wrap(text, room)
	}
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.TrimRight(label+line, " ") + "\n")
		label = strings.Repeat(" ", columns(label))
	}
}
