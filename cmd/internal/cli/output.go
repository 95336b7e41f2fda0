package cli

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
	OutputTable = "table"
	OutputJSON  = "json"
	OutputCSV   = "csv"
)

// OutputFlag adds --output with the formats that a command knows, the first of
// which is the default.
func (r *Run) OutputFlag(cmd *cobra.Command, formats ...string) {
	value := &Choice{target: &r.Output, Allowed: formats}
	r.Output = "" // set once a command is chosen and its flags are parsed
	cmd.Flags().VarP(value, "output", "o", "format of the output: "+strings.Join(formats, ", "))
	cmd.Flags().Lookup("output").DefValue = formats[0]
	pre := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if r.Output == "" {
			r.Output, r.OutputByDefault = formats[0], true
		}
		if pre != nil {
			return pre(cmd, args)
		}
		return nil
	}
}

// Choice is a flag whose value is one of a few words.
type Choice struct {
	target  *string
	Allowed []string
}

func (c *Choice) String() string { return *c.target }
func (c *Choice) Type() string   { return "format" }
func (c *Choice) Set(s string) error {
	if !slices.Contains(c.Allowed, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.Allowed, ", "))
	}
	*c.target = s
	return nil
}

// Emit writes a result to stdout: as a JSON document of the kind, or by table.
func (r *Run) Emit(kind string, data any, table func(io.Writer) error) error {
	if r.Output == OutputJSON {
		return format.Write(r.Out, kind, data)
	}
	return table(r.Out)
}

// EmitDone emits the result of something that is done and must not be done again.
func (r *Run) EmitDone(what, kind string, data any, table func(io.Writer) error) error {
	if err := r.Emit(kind, data, table); err != nil {
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
var errOutClosed = WithHint(errors.New("stdout is closed: there is nowhere to write the result to"),
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

// RequestedOutput is the format that a command line asks for which cannot be parsed as a
// whole, "" when it asks for none that machines read.
func RequestedOutput(args []string) string {
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
		if joined && slices.Contains([]string{OutputJSON, format.NDJSON, format.Payment, format.Headers, OutputCSV}, value) {
			requested = value
		}
	}
	return requested
}

// Note tells the user something on stderr that is no data, unless that shall be quiet.
func (r *Run) Note(text string, args ...any) {
	if r.Quiet {
		return
	}
	r.screen.print(PlainLines(fmt.Sprintf(text, args...)))
}

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
