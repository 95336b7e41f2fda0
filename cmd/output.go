package cmd

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/format"
)

// Formats that most commands know.
const (
	outputTable = "table"
	outputJSON  = "json"
	outputCSV   = "csv"
)

// outputFlag adds --output with the formats that a command knows, the first of
// which is the default.
func (r *run) outputFlag(cmd *cobra.Command, formats ...string) {
	value := &choice{target: &r.output, allowed: formats}
	r.output = "" // set once a command is chosen and its flags are parsed
	cmd.Flags().VarP(value, "output", "o", "format of the output: "+strings.Join(formats, ", "))
	cmd.Flags().Lookup("output").DefValue = formats[0]
	pre := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if r.output == "" {
			r.output, r.outputByDefault = formats[0], true
		}
		if pre != nil {
			return pre(cmd, args)
		}
		return nil
	}
}

// choice is a flag whose value is one of a few words.
type choice struct {
	target  *string
	allowed []string
}

func (c *choice) String() string { return *c.target }
func (c *choice) Type() string   { return "format" }
func (c *choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.allowed, ", "))
	}
	*c.target = s
	return nil
}

// emit writes a result to stdout: as a JSON document of the kind, or by table.
func (r *run) emit(kind string, data any, table func(io.Writer) error) error {
	if r.output == outputJSON {
		return format.Write(r.Out, kind, data)
	}
	return table(r.Out)
}

// emitDone emits the result of something that is done and must not be done again.
func (r *run) emitDone(what, kind string, data any, table func(io.Writer) error) error {
	if err := r.emit(kind, data, table); err != nil {
		return &unreportedError{what, err}
	}
	return nil
}

// unreportedError is a result that nobody was told.
type unreportedError struct {
	// what is done.
	what string
	err  error
}

func (e *unreportedError) Error() string {
	return fmt.Sprintf("%s, but its result cannot be written: %v", e.what, e.err)
}
func (e *unreportedError) Unwrap() error { return e.err }

// Hint warns against the second time.
func (e *unreportedError) Hint() string { return "it is done: do not run the command again for it" }

// errOutClosed is returned before anything is done when its result would be lost.
var errOutClosed = withHint(errors.New("stdout is closed: there is nowhere to write the result to"),
	"redirect it, to /dev/null when you do not need it")

// checkedWriter remembers that something could not be written.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}

// requestedOutput is the format that a command line asks for which cannot be parsed as a
// whole, "" when it asks for none that machines read.
func requestedOutput(args []string) string {
	requested := ""
	for i, arg := range args {
		value, joined := "", false
		switch {
		case arg == "--":
			return requested
		case (arg == "-o" || arg == "--output") && i+1 < len(args):
			value, joined = args[i+1], true
		case strings.HasPrefix(arg, "--output="):
			value, joined = strings.CutPrefix(arg, "--output=")
		case strings.HasPrefix(arg, "-o"):
			value, joined = strings.TrimPrefix(strings.TrimPrefix(arg, "-o"), "="), true
		}
		if joined && slices.Contains([]string{outputJSON, format.NDJSON, format.Payment, format.Headers, outputCSV}, value) {
			requested = value
		}
	}
	return requested
}

// note tells the user something on stderr that is no data, unless that shall be quiet.
func (r *run) note(text string, args ...any) {
	if r.quiet {
		return
	}
	r.screen.print(plainLines(fmt.Sprintf(text, args...)))
}

// field is one line of a key–value listing: a name, and its value.
type field [2]string

// writeFields prints key–value lines, aligned and wrapped. Nothing is ever cut.
func writeFields(w io.Writer, fields []field) error {
	width := 0
	for _, f := range fields {
		width = max(width, len(f[0]))
	}
	var b strings.Builder
	for _, f := range fields {
		hang(&b, fmt.Sprintf("%-*s  ", width, f[0]), f[1], fieldIndent)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fieldIndent is where values stand that have a word too long for the room beside their
// name.
const fieldIndent = 2

// hang prints text behind a label, and the lines that do not fit there under its own
// beginning. A text with a word that is too long for that stands below the label.
func hang(b *strings.Builder, label, text string, underneath int) {
	room := terminalWidth - len(label)
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(word) > room && len(label) > underneath {
			b.WriteString(strings.TrimRight(label, " ") + "\n")
			label, room = strings.Repeat(" ", underneath), terminalWidth-underneath
		}
	}
	if utf8.RuneCountInString(text) > room {
		text = wrap(text, room)
	}
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.TrimRight(label+line, " ") + "\n")
		label = strings.Repeat(" ", len(label))
	}
}

// terminalWidth is what tables fit into, on any terminal and in a pipe alike.
const terminalWidth = 80

// columnGap stands between the columns of a table.
const columnGap = "  "

// writeTable prints rows under a header, without lines or colours. The last column is
// wrapped at its spaces; nothing is ever cut.
func writeTable(w io.Writer, header []string, rows [][]string) error {
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
	room := terminalWidth
	for column := range last {
		width := utf8.RuneCountInString(header[column])
		for _, row := range rows {
			width = max(width, utf8.RuneCountInString(row[column]))
		}
		room -= width + len(columnGap)
	}
	wrapped := make([][]string, len(rows))
	for i, row := range rows {
		wrapped[i] = append(slices.Clone(row[:last]), wrap(row[last], room))
	}
	return wrapped
}

// wrap breaks text at spaces into lines of at most width characters, where it can.
func wrap(text string, width int) string {
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
