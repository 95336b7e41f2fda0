package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/cmd/internal/cli"
)

// manPage is a command's page in the macros of man(7). It has no date, so that it does not depend
// on the day.
func manPage(c *cobra.Command) []byte {
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	m := new(manual)
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	fmt.Fprintf(m, ".TH %q \"1\" \"\" \"pmctl\" \"pmctl manual\"\n", strings.ToUpper(name))
	m.section("NAME")
	m.text(name + " - " + c.Short)
	m.section("SYNOPSIS")
	fmt.Fprintf(m, ".B %s\n", roff(cli.UsageLine(c)))
	m.section("DESCRIPTION")
	m.text(c.Long)
	if c.HasAvailableSubCommands() {
		m.section("COMMANDS")
		for _, group := range cli.CommandGroups(c) {
			m.subsection(group.Heading)
			for _, sub := range group.Commands {
				m.item(".B "+roff(sub.Name()), sub.Short)
			}
		}
	}
	m.section("OPTIONS")
	for _, group := range cli.FlagGroups(c) {
		m.subsection(group.Heading)
		for _, flag := range group.Flags {
			m.option(flag)
		}
	}
	if c.Example != "" {
		m.section("EXAMPLES")
		fmt.Fprintf(m, ".EX\n%s\n.EE\n", roff(c.Example))
	}
	m.section("EXIT STATUS")
	for _, exit := range cli.ExitMeanings() {
		m.item(fmt.Sprintf(".B %d", exit.Code), exit.Meaning)
	}
	m.section("ENVIRONMENT")
	for _, list := range cli.Environment() {
		m.subsection(list.Heading)
		for _, entry := range list.Entries {
			m.item(".B "+roff(entry[0]), entry[1])
		}
	}
	m.section("FILES")
	for _, file := range cli.Files() {
		m.item(".I "+roff(file[0]), file[1])
	}
	m.section("SEE ALSO")
	m.seeAlso(c)
	return m.Bytes()
}

// manual is a page that is written.
type manual struct{ bytes.Buffer }

func (m *manual) section(name string) { fmt.Fprintf(m, ".SH %q\n", name) }

func (m *manual) subsection(name string) { fmt.Fprintf(m, ".SS %q\n", strings.TrimSuffix(name, ":")) }

// item is a term, as a line of macros, with what is said of it.
func (m *manual) item(term, text string) { fmt.Fprintf(m, ".TP\n%s\n%s\n", term, roff(text)) }

// text writes paragraphs, which have empty lines between them.
func (m *manual) text(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			m.WriteString(".PP\n")
		}
		m.WriteString(roff(paragraph) + "\n")
	}
}

// option is a flag with the name of its value in italics.
func (m *manual) option(flag *pflag.Flag) {
	value, usage := pflag.UnquoteUsage(flag)
	term := roff("--" + flag.Name)
	if flag.Shorthand != "" {
		term = roff("-"+flag.Shorthand) + "\\fR, \\fB" + term
	}
	term = "\\fB" + term + "\\fR"
	if value != "" {
		term += " \\fI" + roff(value) + "\\fR"
	}
	m.item(term, usage)
}

func (m *manual) seeAlso(c *cobra.Command) {
	var pages []string
	if c.HasParent() {
		pages = append(pages, c.Parent().CommandPath())
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			pages = append(pages, sub.CommandPath())
		}
	}
	for i, page := range pages {
		end := ","
		if i == len(pages)-1 {
			end = ""
		}
		fmt.Fprintf(m, ".BR %s (1)%s\n", roff(strings.ReplaceAll(page, " ", "-")), end)
	}
}

// roff is text as it is printed, whatever its characters mean to roff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
