package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
)

// newHelp shows the help of a command, or a topic.
func newHelp(r *cli.Run, root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND|TOPIC]",
		Short: "Show the help of a command or a topic",
		Long: `Show the help of a command, as --help does, or a topic: environment, exit-codes,
formats or glossary.`,
		Example: `  pmctl help pay
  pmctl help exit-codes`,
		GroupID: "Maintain",
		ValidArgsFunction: func(_ *cobra.Command, args []string, typed string) (names []string, _ cobra.ShellCompDirective) {
			if len(args) == 0 {
				for _, topic := range cli.Topics() {
					if strings.HasPrefix(topic.Name, typed) {
						names = append(names, cobra.CompletionWithDesc(topic.Name, topic.Short))
					}
				}
			}
			if about, rest, err := root.Find(args); err == nil && len(rest) == 0 {
				for _, sub := range about.Commands() {
					if sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), typed) {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		Args: cobra.ArbitraryArgs, // the words of a command
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				for _, topic := range cli.Topics() {
					if topic.Name == args[0] {
						out := cli.OutPage(r)
						dialect.WriteTopic(out, topic)
						return out.Err()
					}
				}
			}
			if err := dialect.CheckCommand(root, args); err != nil {
				return withOtherName(cli.Usage(err), root)
			}
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return cli.WithHint(cli.Usagef("unknown command %q", strings.Join(args, " ")), "pmctl help lists the commands")
			}
			return about.Help()
		},
	}
}

// topicList is the part of pmctl's help that lists the topics.
func topicList() string {
	var b strings.Builder
	b.WriteString("Topics (pmctl help TOPIC):\n")
	for _, topic := range cli.Topics() {
		fmt.Fprintf(&b, "  %-13s%s\n", topic.Name, topic.Short)
	}
	return b.String()
}
