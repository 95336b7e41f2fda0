package page

import (
	"slices"
	"strings"
)

// columnGap stands between the columns of a table.
const columnGap = "  "

// Column is a column of a table.
type Column struct {
	name  string
	right bool // where its cells are aligned
	// prose is broken at its spaces where it does not fit.
	prose bool
}

// Text is a column of words, which stay in one line.
func Text(name string) Column { return Column{name: name} }

// Number is a column of numbers, aligned at the right.
func Number(name string) Column { return Column{name: name, right: true} }

// Prose is the last column of a table where that has sentences: they are wrapped.
func Prose(name string) Column { return Column{name: name, prose: true} }

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
	names := make([]string, len(header))
	for i, column := range header {
		names[i] = p.Dim(strings.ToUpper(column.name))
	}
	p.align(header, lines(slices.Concat([][]string{names}, cells)))
}

// lines returns a row for each line of the cells.
func lines(rows [][]string) (all [][]string) {
	for _, row := range rows {
		var own [][]string
		for i, cell := range row {
			for at, line := range strings.Split(cell, "\n") {
				if at == len(own) {
					own = append(own, make([]string, len(row)))
				}
				own[at][i] = line
			}
		}
		all = append(all, own...)
	}
	return all
}

func (p *Page) align(header []Column, rows [][]string) {
	widths := make([]int, len(header))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], Columns(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			before, after := "", strings.Repeat(" ", widths[i]-Columns(cell))
			if header[i].right {
				before, after = after, before
			}
			line.WriteString(before + cell + after + columnGap)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	p.Print(b.String())
}

// records writes each row as a list of fields, with an empty line between them.
func (p *Page) records(header []Column, rows [][]string) {
	for i, row := range rows {
		if i > 0 {
			p.Print("\n")
		}
		fields := make([]Field, len(row))
		for at, cell := range row {
			fields[at] = Field{header[at].name, cell}
		}
		p.Fields(fields)
	}
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
