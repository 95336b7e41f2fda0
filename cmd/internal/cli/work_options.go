package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm/wire"
)

// WorkOptions choose what a recipient is paid for.
type WorkOptions struct{ names []string }

// Register adds the flags to a command.
func (o *WorkOptions) Register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&o.names, "capabilities", nil, "pay the price of AI `WORK`, as PIPELINE/MODEL; repeatable")
}

// Works returns what was chosen, in an order that does not depend on the command line.
func (o *WorkOptions) Works() ([]wire.Work, error) {
	var works []wire.Work
	for _, name := range o.names {
		work, err := wire.ParseWork(name)
		if err != nil {
			return nil, WithHint(Usagef("--capabilities: %w", err), "pmctl params fetch URL shows the works of a recipient with their prices")
		}
		if !slices.Contains(works, work) {
			works = append(works, work)
		}
	}
	slices.SortFunc(works, func(a, b wire.Work) int { return strings.Compare(a.String(), b.String()) })
	return works, nil
}

// PipelinePrefixes are how works begin.
func PipelinePrefixes() []string {
	prefixes := wire.Pipelines()
	for i := range prefixes {
		prefixes[i] += "/"
	}
	return prefixes
}
