package page

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// padding is what tablewriter adds to the last cell of a line.
const padding = ` *(\x1b\[0m)?(?: |\x1b\[0m)*\n$`

// columnGap stands between the columns of a table.
const columnGap = "  "

// Column is a column of a table.
type Column struct {
	name  string
	align tw.Align
	// prose is broken at its spaces where it does not fit.
	prose bool
}

// Text is a column of words, which stay in one line.
func Text(name string) Column { return Column{name: name, align: tw.AlignLeft} }

// Number is a column of numbers, aligned at the right.
func Number(name string) Column { return Column{name: name, align: tw.AlignRight} }

// Prose is the last column of a table where that has sentences: they are wrapped.
func Prose(name string) Column { return Column{name: name, align: tw.AlignLeft, prose: true} }

// leastProse is the least room for sentences beside the other columns.
const leastProse = 24

// Table writes rows under a header, a line each, and each as a list of fields where the
// terminal is too narrow for that. Nothing is ever cut.
func (p *Page) Table(header []Column, rows [][]string) {
	room, cells := p.Width, rows
	for i, column := range header {
		width := Columns(column.name)
		for _, row := range rows {
			width = max(width, Columns(row[i]))
		}
		if column.prose && (p.Bounded || room >= leastProse) {
			cells = wrapped(rows, i, max(room, leastProse))
			width = min(width, leastProse)
		}
		room -= width
		if i < len(header)-1 {
			room -= len(columnGap)
		}
	}
	if room < 0 && p.Bounded {
		p.records(header, rows)
		return
	}
	names, aligns := make([]string, len(header)), make([]tw.Align, len(header))
	for i, column := range header {
		names[i], aligns[i] = p.Dim(strings.ToUpper(column.name)), column.align
	}
	var text strings.Builder
	table := tablewriter.NewTable(&text,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithAlignment(aligns),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: columnGap}),
	)
	table.Header(names)
	if p.err = cmp.Or(p.err, table.Bulk(cells), table.Render()); p.err != nil {
		return
	}
	var lines strings.Builder
	trailing := regexp.MustCompile(padding)
	for line := range strings.Lines(text.String()) {
		lines.WriteString(trailing.ReplaceAllString(line, "$1\n"))
	}
	p.Print(lines.String())
}

// records writes each row as a list of those fields that it has.
func (p *Page) records(header []Column, rows [][]string) {
	lists := make([][]Field, len(rows))
	for i, row := range rows {
		for at, cell := range row {
			if cell != "" {
				lists[i] = append(lists[i], Field{strings.ToLower(header[at].name), cell})
			}
		}
	}
	p.Paragraphs(lists)
}

// wrapped returns rows whose cells of one column are broken into lines.
func wrapped(rows [][]string, column, width int) [][]string {
	result := make([][]string, len(rows))
	for i, row := range rows {
		result[i] = slices.Clone(row)
		result[i][column] = Wrap(row[column], width)
	}
	return result
}
