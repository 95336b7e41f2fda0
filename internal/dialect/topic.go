package dialect

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
