package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// Field is one line of a key–value listing: a name, and its value.
type Field [2]string

// WriteFields prints key–value lines, aligned and wrapped. Nothing is ever cut.
func WriteFields(w io.Writer, fields []Field) error {
	width := 0
	for _, f := range fields {
		width = max(width, len(f[0]))
	}
	var b strings.Builder
	for _, f := range fields {
		Hang(&b, fmt.Sprintf("%-*s  ", width, f[0]), f[1], FieldIndent)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// columnGap stands between the columns of a table.
const columnGap = "  "

// WriteTable prints rows under a header, without lines or colours. The last column is
// wrapped at its spaces; nothing is ever cut.
func WriteTable(w io.Writer, header []string, rows [][]string) error {
	var text strings.Builder
	table := tablewriter.NewTable(&text,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: columnGap}),
	)
	table.Header(header)
	if err := table.Bulk(wrapLast(header, rows)); err != nil {
		return err
	}
	if err := table.Render(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// wrapLast returns rows whose last cells are broken into lines that fit beside the
// other columns.
func wrapLast(header []string, rows [][]string) [][]string {
	last := len(header) - 1
	room := TerminalWidth
	for column := range last {
		width := utf8.RuneCountInString(header[column])
		for _, row := range rows {
			width = max(width, utf8.RuneCountInString(row[column]))
		}
		room -= width + len(columnGap)
	}
	wrapped := make([][]string, len(rows))
	for i, row := range rows {
		wrapped[i] = append(slices.Clone(row[:last]), Wrap(row[last], room))
	}
	return wrapped
}

// WriteParagraphs writes lists of fields, with an empty line between them.
func WriteParagraphs(w io.Writer, lists [][]Field) error {
	for i, fields := range lists {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := WriteFields(w, fields); err != nil {
			return err
		}
	}
	return nil
}
