package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/terminal"
	"github.com/pmctl/pmctl/wallet/format"
)

// Formats that most commands know.
const (
	OutputTable = "table"
	OutputJSON  = "json"
	OutputCSV   = "csv"

	// OutputScript is a script for a shell.
	OutputScript = "script"
)

// OutputFlag adds --output with the formats that a command knows, the first of
// which is the default, and the filters of JSON documents where it has those.
func (r *Run) OutputFlag(cmd *cobra.Command, formats ...string) {
	value := &Choice{target: &r.Output, Allowed: formats}
	r.Output = "" // set once a command is chosen and its flags are parsed
	cmd.Flags().VarP(value, "output", "o", "print the result as `FORMAT`: "+strings.Join(formats, ", "))
	cmd.Flags().Lookup("output").DefValue = formats[0]
	dialect.InGroup(cmd, dialect.OutputFlags, "output")
	if slices.Contains(formats, OutputJSON) {
		r.filters.register(cmd)
	}
}

// NoResult is the annotation of a command that prints nothing on stdout, such as one that serves.
const NoResult = "pmctl_no_result"

// DefaultOutput adds --output with a table and a document to the commands below cmd that print a result
// and name no formats.
func DefaultOutput(r *Run, cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		DefaultOutput(r, sub)
		if !sub.HasSubCommands() && sub.Flags().Lookup("output") == nil && sub.Annotations[NoResult] == "" {
			r.OutputFlag(sub, OutputTable, OutputJSON)
		}
	}
}

// chooseOutput sets the format of a command's result, and has a filter read it.
func chooseOutput(r *Run, cmd *cobra.Command) error {
	flag := cmd.Flags().Lookup("output")
	if flag == nil {
		return nil
	}
	if r.OutputByDefault = !flag.Changed; r.OutputByDefault {
		r.Output = flag.DefValue
	}
	return r.filters.apply(r, cmd)
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
func (r *Run) Emit(kind string, data any, table func(*page.Page)) error {
	if r.Output == OutputJSON {
		return format.Write(r.Out, kind, data)
	}
	out := OutPage(r)
	table(out)
	return out.Err()
}

// EmitList is Emit for a list that may be longer than the screen: on a terminal it goes
// through the user's pager then.
func EmitList(r *Run, kind string, data any, table func(*page.Page)) error {
	pager := pagerOf(r.Env)
	if pager == "" || r.Screen == nil || r.Output == OutputJSON {
		return r.Emit(kind, data, table)
	}
	var text strings.Builder
	table(OutPageOn(r, &text))
	if _, rows := r.OutSize(); strings.Count(text.String(), "\n") >= rows && terminal.Page(pager, text.String(), r.Screen, r.Err) {
		return nil
	}
	return r.Emit(kind, data, func(out *page.Page) { out.Print(text.String()) })
}

// pagerOf is the command line of the user's pager, as gh finds it: PMCTL_PAGER, or else PAGER.
// It is "" for none.
func pagerOf(e *Env) string {
	pager := cmp.Or(e.Getenv("PMCTL_PAGER"), e.Getenv("PAGER"))
	if pager == "cat" || e.Getenv("TERM") == "dumb" {
		return ""
	}
	return pager
}

// EmitDone emits the result of something that is done and must not be done again. A reader that has
// stopped is an error, too: the signal would end the process as if nothing were done.
func (r *Run) EmitDone(what, kind string, data any, table func(*page.Page)) error {
	FailBrokenPipes()
	return Unreported(what, r.Emit(kind, data, table))
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

// guessOutput finds the format that a command line asks for which cannot be parsed as a whole: none
// unless machines read it.
func guessOutput(r *Run, args []string) {
	r.Output, r.OutputByDefault = "", false
	for i, arg := range args {
		name, value, joined := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			return
		case name == "--jq", name == "--template":
			if r.Output == "" && (joined || i+1 < len(args)) {
				r.Output, r.OutputByDefault = OutputJSON, true
			}
			continue
		case (arg == "-o" || arg == "--output") && i+1 < len(args):
			value, joined = args[i+1], true
		case name == "--output":
		case strings.HasPrefix(arg, "-o"):
			value, joined = strings.TrimPrefix(strings.TrimPrefix(arg, "-o"), "="), true
		default:
			continue
		}
		if joined && slices.Contains([]string{OutputJSON, format.NDJSON, format.Payment, format.Headers, OutputCSV}, value) {
			r.Output, r.OutputByDefault = value, false
		}
	}
}

// Note tells the user something on stderr that is no data, unless that shall be quiet. With JSON
// it is shown only before a question.
func (r *Run) Note(text string, args ...any) { note(r, page.PlainLines(fmt.Sprintf(text, args...))) }

// NoteFields is Note for a listing.
func NoteFields(r *Run, fields []page.Field) {
	var text strings.Builder
	w := ErrPage(r)
	w.Writer = &text
	w.Fields(fields)
	note(r, strings.TrimSuffix(text.String(), "\n"))
}

func note(r *Run, text string) {
	switch {
	case r.Quiet:
	case documentsOnly(r):
		r.screen.Hold(text)
	default:
		r.screen.Print(text)
	}
}

// forPeople reports whether people read the result, and with it stderr.
func forPeople(r *Run) bool {
	return r.Output == "" || r.Output == OutputTable || r.Output == OutputScript || r.OutputByDefault && r.ErrTerminal
}

// documentsOnly reports whether stderr has nothing but the document of an error: the user asked for
// documents. Where they are only the default, notes remain.
func documentsOnly(r *Run) bool {
	asked := !r.OutputByDefault || r.filtered != nil
	return asked && !forPeople(r) && (r.Output == OutputJSON || r.Output == format.NDJSON)
}

// watched reports whether a person sees what is rewritten in place.
func watched(r *Run) bool {
	return r.ErrTerminal && !r.Quiet && !documentsOnly(r) && r.Getenv("TERM") != "dumb"
}

// Progress tells a person at a terminal what is waited for, once that takes longer than a moment,
// until the returned function is called. In a pipe it does nothing. A goroutine of its own asks for
// the text.
func (r *Run) Progress(text func() string) (done func()) {
	if !watched(r) {
		return func() {}
	}
	return r.screen.Progress(text)
}
