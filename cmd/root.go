// Package cmd is pmctl's command line: its tree of commands, one package a noun below it.
// Only they print, prompt, or read environment variables.
package cmd

import (
	"context"
	"io"
	"log"
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/grpclog"

	"github.com/pmctl/pmctl/cmd/account"
	"github.com/pmctl/pmctl/cmd/agent"
	"github.com/pmctl/pmctl/cmd/call"
	"github.com/pmctl/pmctl/cmd/funds"
	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/cmd/look"
	"github.com/pmctl/pmctl/cmd/past"
	"github.com/pmctl/pmctl/cmd/pay"
	"github.com/pmctl/pmctl/cmd/recipient"
	"github.com/pmctl/pmctl/cmd/runner"
	"github.com/pmctl/pmctl/cmd/settings"
	"github.com/pmctl/pmctl/cmd/signer"
	"github.com/pmctl/pmctl/cmd/store"
	"github.com/pmctl/pmctl/cmd/ticket"
	"github.com/pmctl/pmctl/cmd/tx"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
)

// Env is what a command sees of the world around it.
type Env = cli.Env

// System is the Env of this process. gRPC, which must not be in use yet, and net/http write nothing to its
// stderr from then on: they would repeat there what orchestrators send.
func System() *Env {
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	log.SetOutput(io.Discard) // which net/http uses
	return cli.System()
}

// Main runs one command line and returns the process's exit code.
func Main(ctx context.Context, args []string, env *cli.Env) int {
	// Where the system does not allow it, keys are as safe as any program's data.
	_ = protect()
	outliveFileLimit()
	run := cli.NewRun(env)
	if err := run.Begin(ctx, args); err != nil {
		return run.Fail(err)
	}
	root := newRoot(run)
	if cli.Completing(args) {
		addCompletions(completer{run, slices.Contains(args[:len(args)-1], "--")}, root) // which takes as long as all the rest of the tree
	}
	return cli.Execute(ctx, run, root, args, func(err error) error { return withOtherName(err, root) })
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
		Long: `pmctl is a command-line wallet for Livepeer gateways. A gateway pays
orchestrators with probabilistic micropayments: signed lottery tickets, of which
only the winners are paid on the chain. pmctl funds the deposit and the reserve
behind the tickets, fetches the ticket params of an orchestrator, and creates,
signs and delivers tickets.

Flags and JSON documents use the names of the protocol: the gateway is the
sender, the orchestrator the recipient. See pmctl help glossary.`,
		Args:              cobra.ArbitraryArgs, // dialect.CheckCommand has checked them
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cli.Start(r, cmd); err != nil {
				return err
			}
			if cmd.Name() == cobra.ShellCompRequestCmd {
				unquoteUsage(cmd.Root())
			}
			return nil
		},
	}
	r.RegisterFlags(root.PersistentFlags())
	root.Version = cli.BuildVersion()
	root.CompletionOptions.DisableDefaultCmd = true
	fund := funds.NewFund(r)
	fund.AddCommand(past.NewFundPlan(r))
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Pay", []*cobra.Command{pay.NewPay(r), call.NewCall(r), recipient.NewRecipient(r), runner.NewRunner(r), ticket.NewParams(r), ticket.NewTicket(r)}},
		{"Funds", []*cobra.Command{fund, funds.NewUnlock(r), funds.NewWithdraw(r), funds.NewExit(r), tx.NewTx(r)}},
		{"Inspect", []*cobra.Command{look.NewStatus(r), look.NewDoctor(r), past.NewBudget(r), past.NewHistory(r), past.NewRunway(r), past.NewLuck(r)}},
		{"Keys", []*cobra.Command{account.NewAccount(r), agent.NewAgent(r), signer.NewSigner(r)}},
		{"Maintain", []*cobra.Command{settings.NewConfig(r), store.NewStore(r), newVersion(r), newCompletion(r)}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, cmd := range group.commands {
			cmd.GroupID = group.title
			root.AddCommand(cmd)
		}
	}
	cli.DefaultOutput(r, root)
	root.SetHelpCommand(newHelp(r, root))
	root.InitDefaultHelpCmd()
	dialect.InstallHelp(root, func() *page.Page { return cli.OutPage(r) }, topicList())
	markMoney(root)
	return root
}

// markMoney keeps what moves money, or agrees to it, out of the suggestions for typing
// errors.
func markMoney(root *cobra.Command) {
	dialect.MarkMoney(root,
		[]string{
			"pay", "call", "ticket batch", "ticket deliver", "ticket redeem",
			"fund", "fund auto", "unlock", "unlock cancel", "withdraw", "exit",
			"tx bump", "tx cancel", "tx sign", "tx send",
		},
		[]string{
			"deposit", "reserve", "for", "value", "max-cost", "max-price", "count", "keep-deposit", "keep-reserve",
			"yes", "cancel-unlock", "with-pending", "replace-unknown", "accept-contracts",
			"inactive-ok", "adopt", "early", "at-a-loss", "raw",
		})
}
