package cli

import (
	"strings"

	"github.com/pmctl/pmctl/internal/page"
)

// Topic is a help page that belongs to no command.
type Topic struct {
	Name, Short string
	// Intro and Outro are paragraphs around the lists.
	Intro, Outro string
	Lists        []TopicList
}

// TopicList is a list of names with what they mean, under a heading that may be "".
type TopicList struct {
	Heading string
	Entries []page.Field
}

// Topics are the pages of pmctl help TOPIC. Where docs have the same table, a test holds
// them to be equal.
func Topics() []Topic {
	return []Topic{
		{Name: "environment", Short: "Environment variables", Lists: Environment(),
			Intro: "A flag comes before the environment, and the environment before the config files. pmctl config show prints every setting with its source."},
		{Name: "exit-codes", Short: "Exit codes", Lists: []TopicList{{Entries: exitFields()}},
			Intro: "The exit code says how a command ended. With --output json a failure is also a document on stderr, whose code names the failure."},
		formatsTopic(),
		{Name: "glossary", Short: "The words of the protocol, of go-livepeer and of pmctl", Lists: Glossary(),
			Intro: "Flags and JSON documents use the words of the protocol: sender and recipient."},
	}
}

// WriteTopic writes a topic's page.
func WriteTopic(p *page.Page, topic Topic) {
	var b strings.Builder
	paragraph := func(text string) {
		if text != "" {
			if b.Len() > 0 {
				b.WriteString("\n")
			}
			b.WriteString(page.Reflow(text, helpWidth(p)) + "\n")
		}
	}
	paragraph(topic.Intro)
	for _, list := range topic.Lists {
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		if list.Heading != "" {
			b.WriteString(p.Bold(list.Heading+":") + "\n")
		}
		column := 0
		for _, entry := range list.Entries {
			if width := page.Columns(entry[0]) + 2; width <= helpColumn {
				column = max(column, width)
			}
		}
		help := helpPage{Page: p}
		for _, entry := range list.Entries {
			help.entry(&b, column, "  "+entry[0], entry[1])
		}
	}
	paragraph(topic.Outro)
	p.Print(b.String())
}
