package cli

import (
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
)

// formatsTopic says how values are written on the command line and in documents.
func formatsTopic() dialect.Topic {
	return dialect.Topic{
		Name: "formats", Short: "How amounts, times and documents are written",
		Lists: []dialect.TopicList{
			{Heading: "Values of flags", Entries: []page.Field{
				{"AMOUNT", "a number and its unit, without a space: 0.1eth, 25gwei or 1000wei"},
				{"ADDRESS", "0x and 40 hex digits; with letters in mixed case, the checksum must be right"},
				{"DURATION", "a number and its unit: 500ms, 30s, 5m, 2h, 30d or 2w; also 1h30m. Settings of the config file are written alike"},
				{"TIME", "how long ago (12h, 30d, 2w), a day in UTC (2026-03-01), or a time (2026-03-01T12:00:00Z)"},
				{"FILE", "a path; - is stdin, or stdout for --out of pmctl account export"},
				{"N", "a whole number"},
			}},
			{Heading: "Values of --output", Entries: []page.Field{
				{"table", "for people; it can change with any release"},
				{"json", "one JSON document; its names and types stay the same within a version"},
				{"ndjson", "one JSON document per line"},
				{"csv", "comma-separated values with a header"},
				{"payment", "the value of the Livepeer-Payment header"},
				{"headers", "the headers of a payment, as curl -H @- reads them"},
				{"script", "a completion script for a shell"},
				{"safe", "a transaction for the Transaction Builder of a Safe"},
				{"prometheus", "metrics in the text format of Prometheus"},
			}},
			{Heading: "JSON documents", Entries: []page.Field{
				{"kind, version, data", "the envelope: what the document is, the version of its kind, and its fields"},
				{"amounts", "decimal strings in wei"},
				{"times", "RFC 3339 in UTC"},
				{"durations", "seconds"},
			}},
			{Heading: "Filters of JSON documents", Entries: []page.Field{
				{"--jq EXPR", "a jq expression, without jq: pmctl status --jq .data.deposit. It prints text, numbers and booleans bare, null as an empty line, and objects and lists as JSON, on one line unless stdout is a terminal"},
				{"--template TEXT", "a Go template (package text/template): pmctl status --template '{{amount .data.deposit}}'. Its own functions are amount WEI (as tables show it), join SEPARATOR LIST and json VALUE"},
				{"streams", "the filter is applied to each document"},
				{"errors", "a wrong expression is a usage error, and nothing is done. If the expression fails on the document, the document is printed unchanged, and the exit code is 8 after a payment or a transaction, else 1"},
			}},
		},
		Outro: "Data goes to stdout, everything else to stderr. With --output json stderr is empty or has the document of one error. docs/formats.md describes every document, and docs/schemas has a JSON schema for each.",
	}
}
