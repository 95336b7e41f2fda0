package cli

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/words"
)

// Completing reports whether the shell asks for completions with a command line.
func Completing(args []string) bool {
	return len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
}

// Start checks a command's flags and marks the run as started. It is part of the root's
// PersistentPreRunE: cobra would check the flags last, after the command has started.
func Start(r *Run, cmd *cobra.Command) error {
	if err := dialect.CheckFlags(cmd); err != nil {
		return err
	}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if d, ok := flag.Value.(*Descriptor); ok {
			closeOnExec(d.N)
		}
	})
	r.Started = true
	return chooseOutput(r, cmd)
}

// Execute runs a command line on a tree of commands, reports its error, and returns the
// exit code. The function explain adds to a usage error what only the program knows.
func Execute(ctx context.Context, r *Run, root *cobra.Command, args []string, explain func(error) error) int {
	root.SetArgs(args)
	root.SetIn(r.In)
	root.SetOut(r.Out)
	root.SetErr(r.Err)
	var err error
	if !Completing(args) { // cobra adds its command for that later
		err = dialect.CheckCommand(root, args)
	}
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if r.filtered != nil {
		err = cmp.Or(err, r.filtered.Flush())
	}
	switch {
	case r.out.err != nil && (err == nil || !r.Started):
		// What cobra prints, it prints without looking.
		err = r.out.err
	case err != nil && !r.Started:
		// Nothing of ours ran yet: the line is wrong, or --output comes after what is.
		guessOutput(r, args)
		err = explain(Usage(err))
	}
	if err != nil && Failure(err).ExitCode == ExitUsage {
		if split := splitAmount(args); split != nil {
			err = split
		}
	}
	if err == nil {
		return ExitDone
	}
	return r.Fail(interrupted(ctx, timedOut(err)))
}

// Group is a noun whose verbs are its subcommands.
func Group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var names []string
			for _, sub := range cmd.Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, sub.Name())
				}
			}
			return WithHint(Usagef("%s needs a subcommand: %s", cmd.CommandPath(), words.OneOf(names)), "see %s --help", cmd.CommandPath())
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}
