package cmd

import (
	"fmt"
	"io"
	"slices"
	"strings"

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
			r.output = formats[0]
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

// note tells the user something on stderr that is no data.
func (r *run) note(text string, args ...any) {
	fmt.Fprintf(r.Err, text+"\n", args...)
}

// field is one line of a key–value listing.
type field struct{ name, value string }

// writeFields prints key–value lines, aligned. Nothing is ever cut.
func writeFields(w io.Writer, fields []field) error {
	width := 0
	for _, f := range fields {
		width = max(width, len(f.name))
	}
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%-*s  %s\n", width, f.name, f.value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeTable prints rows under a header, without lines or colours.
func writeTable(w io.Writer, header []string, rows [][]string) error {
	table := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: "  "}),
	)
	table.Header(header)
	if err := table.Bulk(rows); err != nil {
		return err
	}
	return table.Render()
}
