package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

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
	cmd.Flags().VarP(value, "output", "o", "print the result as `FORMAT`: "+strings.Join(formats, ", "))
	cmd.Flags().Lookup("output").DefValue = formats[0]
	InGroup(cmd, OutputFlags, "output")
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
func (r *Run) Emit(kind string, data any, table func(*Page) error) error {
	if r.Output == OutputJSON {
		return format.Write(r.Out, kind, data)
	}
	return table(OutPage(r))
}

// EmitDone emits the result of something that is done and must not be done again.
func (r *Run) EmitDone(what, kind string, data any, table func(*Page) error) error {
	if err := r.Emit(kind, data, table); err != nil {
		return &unreportedError{what, err}
	}
	return nil
}

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
