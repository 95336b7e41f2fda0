package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
)

// roffPage is a man page as it is written.
type roffPage struct{ bytes.Buffer }

// manPage is a command's man page. It has no date, so that it is the same every day.
func manPage(c *cobra.Command) []byte {
	var p roffPage
	name := pageName(c)
	fmt.Fprintf(&p, ".TH \"%s\" \"1\" \"\" \"pmctl\" \"pmctl manual\"\n.nh\n", strings.ToUpper(name))
	fmt.Fprintf(&p, ".SH NAME\n%s \\- %s\n", roff(name), roff(c.Short))
	p.synopsis(c)
	p.description(c)
	p.commands(c)
	p.options(c)
	if c.Example != "" {
		p.WriteString(".SH EXAMPLES\n")
		p.verbatim(strings.TrimRight(c.Example, "\n"))
	}
	p.WriteString(".SH \"EXIT STATUS\"\n")
	for _, m := range cli.ExitMeanings() {
		p.entry(bold(strconv.Itoa(m.Code)), m.Meaning)
	}
	p.WriteString(".SH ENVIRONMENT\n")
	for _, list := range cli.Environment() {
		p.subsection(list.Heading)
		for _, variable := range list.Entries {
			p.entry(bold(variable[0]), variable[1])
		}
	}
	p.WriteString(".SH FILES\n")
	for _, file := range cli.Files() {
		p.entry(italic(file[0]), file[1])
	}
	p.seeAlso(c)
	return p.Bytes()
}

// pageName is the name of a command's man page: pmctl-tx-list.
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func (p *roffPage) synopsis(c *cobra.Command) {
	p.WriteString(".SH SYNOPSIS\n")
	lines := []string{}
	path := c.CommandPath()
	if c.Runnable() && c.HasParent() {
		lines = append(lines, bold(path)+roff(strings.TrimPrefix(c.UseLine(), path)))
	}
	if c.HasAvailableSubCommands() {
		lines = append(lines, bold(path)+" "+italic("COMMAND"))
	}
	p.WriteString(strings.Join(lines, "\n.br\n") + "\n")
}

// description writes the long text. Indented lines stay lines, but for the items of a list, which
// are filled like other text.
func (p *roffPage) description(c *cobra.Command) {
	about := c.Long
	if about == "" {
		about = c.Short + "."
	}
	p.WriteString(".SH DESCRIPTION\n")
	for i, paragraph := range strings.Split(strings.TrimSpace(about), "\n\n") {
		if i > 0 {
			p.WriteString(".PP\n")
		}
		var listed bool
		for line := range strings.SplitSeq(paragraph, "\n") {
			if item, ok := strings.CutPrefix(line, "  - "); ok {
				p.WriteString(".IP \\(bu 2\n" + roff(item) + "\n")
				continue
			}
			indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
			switch {
			case indented && !listed:
				p.WriteString(".RS 2\n.nf\n")
			case !indented && listed:
				p.WriteString(".fi\n.RE\n")
			}
			listed = indented
			if text := strings.TrimSpace(line); text != "" {
				if indented {
					text = strings.TrimRight(strings.TrimPrefix(line, "  "), " ")
				}
				p.WriteString(roff(text) + "\n")
			}
		}
		if listed {
			p.WriteString(".fi\n.RE\n")
		}
	}
}

func (p *roffPage) commands(c *cobra.Command) {
	groups := dialect.CommandGroups(c)
	if len(groups) == 0 {
		return
	}
	p.WriteString(".SH COMMANDS\n")
	for _, group := range groups {
		p.subsection(group.Heading)
		for _, sub := range group.Commands {
			p.entry(bold(sub.CommandPath()), sub.Short)
		}
	}
}

func (p *roffPage) options(c *cobra.Command) {
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	p.WriteString(".SH OPTIONS\n")
	for _, group := range dialect.FlagGroups(c) {
		p.subsection(group.Heading)
		for _, flag := range group.Flags {
			p.entry(option(flag), dialect.FlagText(flag))
		}
	}
}

// option is a flag in bold with its metavariable in italics.
func option(flag *pflag.Flag) string {
	label := bold("--" + flag.Name)
	if flag.Shorthand != "" {
		label = bold("-"+flag.Shorthand) + ", " + label
	}
	if metavariable, _ := pflag.UnquoteUsage(flag); metavariable != "" {
		label += " " + italic(metavariable)
	}
	return label
}

// seeAlso names the page above, and those below.
func (p *roffPage) seeAlso(c *cobra.Command) {
	var pages []string
	if c.HasParent() {
		pages = append(pages, pageName(c.Parent()))
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			pages = append(pages, pageName(sub))
		}
	}
	for i, page := range pages {
		pages[i] = bold(page) + "(1)"
	}
	p.WriteString(".SH \"SEE ALSO\"\n" + strings.Join(pages, ",\n") + "\n")
}

func (p *roffPage) subsection(heading string) {
	if heading != "" {
		fmt.Fprintf(p, ".SS \"%s\"\n", heading)
	}
}

// entry is a tagged paragraph. The label is roff already.
func (p *roffPage) entry(label, text string) {
	fmt.Fprintf(p, ".TP\n%s\n%s\n", label, roff(text))
}

func (p *roffPage) verbatim(text string) {
	p.WriteString(".nf\n" + roff(text) + "\n.fi\n")
}

func bold(text string) string   { return `\fB` + roff(text) + `\fR` }
func italic(text string) string { return `\fI` + roff(text) + `\fR` }

var escapes = strings.NewReplacer(`\`, `\\`, "-", `\-`)

// roff escapes text: a line that begins with a dot or an apostrophe would be a request.
func roff(text string) string {
	lines := strings.Split(escapes.Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
