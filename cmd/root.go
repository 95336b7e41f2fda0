package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pmctl/pmctl/cmd/account"
	"github.com/pmctl/pmctl/cmd/agent"
	"github.com/pmctl/pmctl/cmd/funds"
	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/cmd/look"
	"github.com/pmctl/pmctl/cmd/past"
	"github.com/pmctl/pmctl/cmd/pay"
	"github.com/pmctl/pmctl/cmd/recipient"
	"github.com/pmctl/pmctl/cmd/settings"
	"github.com/pmctl/pmctl/cmd/signer"
	"github.com/pmctl/pmctl/cmd/store"
	"github.com/pmctl/pmctl/cmd/ticket"
	"github.com/pmctl/pmctl/cmd/tx"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/format"
)

// Main runs one command line and returns the process's exit code.
func Main(ctx context.Context, args []string, env *cli.Env) int {
	// Where the system does not allow it, keys are as safe as any program's data.
	_ = protect()
	outliveFileLimit()
	run := cli.NewRun(env)
	if err := run.Begin(ctx); err != nil {
		run.Output = cli.RequestedOutput(args)
		return run.Fail(err)
	}
	root := newRoot(run)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		addCompletions(run, root) // which takes as long as all the rest of the tree
	}
	root.SetArgs(args)
	root.SetIn(run.In)
	root.SetOut(run.Out)
	root.SetErr(run.Err)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case run.Unwritten() != nil && (err == nil || !run.Started):
		// What cobra prints, it prints without looking.
		err = run.Unwritten()
	case err != nil && !run.Started:
		// Nothing of ours ran yet: cobra could not make sense of the line, or of
		// what comes before --output in it.
		run.Output = cli.RequestedOutput(args)
		hint := "see " + cmd.CommandPath() + " --help"
		if instead := otherName(cmd, args); instead != "" {
			hint = "what you mean may be " + instead
		}
		err = cli.Usage(cli.WithHint(oneLine(err), "%s", hint))
		if split := splitAmount(args); split != nil {
			err = split
		}
	}
	if err == nil {
		return cli.ExitDone
	}
	return run.Fail(cli.Interrupted(ctx, err))
}

// Tree is the command tree, for programs that describe it.
func Tree() *cobra.Command {
	return newRoot(cli.NewRun(&cli.Env{Getenv: func(string) string { return "" }}))
}

// newRoot is the command tree.
func newRoot(r *cli.Run) *cobra.Command {
	root := &cobra.Command{
		Use:   "pmctl",
		Short: "A wallet for Livepeer's probabilistic micropayments",
		Long: `pmctl pays with probabilistic micropayments on the Livepeer network: it funds a
deposit and a reserve, fetches ticket params from a recipient, and mints and
delivers batches of signed lottery tickets.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			// cobra would check these last, after the command has started.
			if err := cmd.ValidateRequiredFlags(); err != nil {
				return err
			}
			if err := cmd.ValidateFlagGroups(); err != nil {
				return err
			}
			r.Started = true
			if cmd.Name() == cobra.ShellCompRequestCmd {
				unquoteUsage(cmd.Root())
			}
			return nil
		},
	}
	r.RegisterFlags(root.PersistentFlags())
	root.Version = cli.BuildVersion()
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", cli.DefaultWidth)))
	root.SetHelpCommand(newHelp(root))
	fund := funds.NewFund(r)
	fund.AddCommand(past.NewFundPlan(r))
	root.AddCommand(
		account.NewAccount(r),
		look.NewStatus(r),
		look.NewDoctor(r),
		fund,
		funds.NewUnlock(r),
		funds.NewWithdraw(r),
		funds.NewExit(r),
		recipient.NewRecipient(r),
		ticket.NewParams(r),
		ticket.NewTicket(r),
		pay.NewPay(r),
		tx.NewTx(r),
		agent.NewAgent(r),
		signer.NewSigner(r),
		past.NewBudget(r),
		past.NewHistory(r),
		past.NewRunway(r),
		settings.NewConfig(r),
		store.NewStore(r),
		newVersion(r),
		newCompletion(r),
	)
	return root
}

// newHelp is cobra's help, as a command that fails for what there is not.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		ValidArgsFunction: func(_ *cobra.Command, args []string, typed string) (names []string, _ cobra.ShellCompDirective) {
			if about, rest, err := root.Find(args); err == nil && len(rest) == 0 {
				for _, sub := range about.Commands() {
					if sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), typed) {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return cli.WithHint(cli.Usagef("there is no command %q", strings.Join(args, " ")), "pmctl help lists the commands")
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
	}
}

// errKeyAsValue is returned for an option whose value could be a private key.
var errKeyAsValue = errors.New("an option's value looks like a private key itself; a command line is no secret, so that key must count as known to others")

// oneLine is cobra's error without its paragraph of suggestions, and without what could
// be a key.
func oneLine(err error) error {
	var invalid interface{ GetValue() string } // pflag's, for a value that it cannot parse
	if errors.As(err, &invalid) && format.LooksLikeKey(invalid.GetValue()) {
		return errKeyAsValue
	}
	text, suggestions, found := strings.Cut(err.Error(), "\n\nDid you mean this?\n")
	if !found {
		return err
	}
	return fmt.Errorf("%s; did you mean %s?", text, strings.Join(strings.Fields(suggestions), " or "))
}
