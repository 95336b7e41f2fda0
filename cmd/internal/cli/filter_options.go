package cli

import (
	"errors"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/jsonfilter"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// filterOptions are the flags that filter documents.
type filterOptions struct{ jq, template string }

func (o *filterOptions) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.jq, "jq", "", "filter the JSON document with the jq expression `EXPR`")
	cmd.Flags().StringVar(&o.template, "template", "", "format the JSON document with the Go template `TEXT`")
	dialect.InGroup(cmd, dialect.OutputFlags, "jq", "template")
	dialect.Relate(cmd, dialect.Exclusive, "jq", "template")
}

// apply has r print what the filter of the flags makes of documents, if one was given. The program
// is compiled, so that a wrong one fails before the command does anything.
func (o *filterOptions) apply(r *Run, cmd *cobra.Command) (err error) {
	var filter jsonfilter.Filter
	var flag string
	switch {
	case cmd.Flags().Changed("jq"):
		flag = "--jq"
		filter, err = jsonfilter.JQ(o.jq, r.OutTerminal)
	case cmd.Flags().Changed("template"):
		flag = "--template"
		filter, err = jsonfilter.Template(o.template, template.FuncMap{"amount": amountText})
	default:
		return nil
	}
	switch {
	case r.OutputByDefault:
		r.Output = OutputJSON
	case r.Output != OutputJSON && r.Output != format.NDJSON:
		return Usagef("%s is for JSON documents: leave out --output %s", flag, r.Output)
	}
	if err != nil {
		return WithHint(Usagef("%s: %w", flag, err), "pmctl help formats explains %s, with an example", flag)
	}
	clean := func(text string) string { return text }
	if r.OutTerminal {
		clean = page.Plain
	}
	r.filtered = jsonfilter.NewWriter(cmd.Context(), r.Out, filter, flag, clean)
	r.Out = r.filtered
	return nil
}

// amountText is a decimal string in wei as tables show it: with its unit.
func amountText(decimal string) (string, error) {
	var amount wei.Wei
	if err := amount.UnmarshalText([]byte(decimal)); err != nil {
		return "", errors.New("not an amount in wei")
	}
	return amount.String(), nil
}
