package funds

import (
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
)

type exitOptions struct {
	cli.TransactOptions
	keepDeposit, keepReserve string
	interval                 time.Duration
}

// NewExit is pmctl exit.
func NewExit(r *cli.Run) *cobra.Command {
	var o exitOptions
	cmd := &cobra.Command{
		Use:   "exit",
		Short: "Unlock, wait, and withdraw everything",
		Long: `Unlock the deposit and the reserve, wait for the unlock period to end, and
withdraw both. The contract has no partial withdrawal: --keep-deposit and
--keep-reserve fund the account again at the end, with at most what was
withdrawn. Until the withdrawal, winning tickets are paid.

The amounts you confirm are the amounts at the start. If the unlock is cancelled
or the funds grow in the meantime, pmctl asks again; with --yes it stops with
exit code 3.

You can interrupt exit at any time and run it again: it continues, and repeats
no step. With --no-wait it takes the steps that are possible now; if it has to
wait for a round, it prints what it did and when to run it again (withdraw_round
and ready_at with --output json), and ends with exit code 8.`,
		Example: `  pmctl exit
  pmctl exit --yes --no-wait
  pmctl exit --keep-deposit 0.05eth --keep-reserve 0.05eth`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runExit(r, cmd, &o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.keepDeposit, "keep-deposit", "", "fund the deposit with `AMOUNT` again at the end")
	flags.StringVar(&o.keepReserve, "keep-reserve", "", "fund the reserve with `AMOUNT` again at the end")
	flags.DurationVar(&o.interval, "interval", wallet.DefaultInterval, "read the chain every `DURATION` while waiting for a round")
	flags.BoolVar(&o.Send.NoWait, "no-wait", false, "do not wait for a round: print when to run exit again, and end with exit code 8")
	cli.RegisterConfirmations(r, cmd, &o.Send.WaitOptions)
	o.RegisterActing(cmd)
	return cmd
}

func writeExit(e wallet.Exit) func(*page.Page) {
	return func(w *page.Page) {
		for i, s := range e.Steps {
			if i > 0 {
				w.Print("\n")
			}
			w.Fields([]page.Field{{"step", s.Step}})
			cli.WriteTransaction(s.Transaction)(w)
		}
		if e.WithdrawRound == nil {
			return
		}
		at := "round " + e.WithdrawRound.String()
		if e.ReadyAt != nil {
			at += ", about " + e.ReadyAt.Format(time.RFC3339)
		}
		w.Fields([]page.Field{{"withdraw at", at}})
	}
}

func runExit(r *cli.Run, cmd *cobra.Command, o *exitOptions) error {
	if err := cli.CheckWait(&o.Send.WaitOptions); err != nil {
		return err
	}
	if o.interval <= 0 {
		return cli.Usagef("--interval %s: it must be more than 0", duration.Text(o.interval))
	}
	if o.Account.Keys.FD.Given {
		return cli.Usagef("--key-fd: an exit signs more than once, rounds apart, and a descriptor can be read once: use a key file, or pmctl unlock and pmctl withdraw")
	}
	keep, err := o.keep()
	if err != nil {
		return err
	}
	w, err := cli.OpenSending(cmd.Context(), r, &o.WalletOptions, common.Address{})
	if err != nil {
		return err
	}
	// After everything else: a run that dies before has not reported what it did.
	defer w.Close()
	done, err := w.Exit(cmd.Context(), wallet.ExitOptions{Keep: keep, Interval: o.interval, SendOptions: o.Send})
	switch {
	case errors.As(err, new(*wallet.RoundsError)):
		if failed := r.EmitDone("the unlock is in progress", "pmctl.exit", done, writeExit(done)); failed != nil {
			return failed
		}
		return err
	case err != nil:
		return err
	}
	return r.EmitDone("the exit is finished", "pmctl.exit", done, writeExit(done))
}

// keep is what the options say to keep, nil for nothing.
func (o *exitOptions) keep() (*wallet.Kept, error) {
	var keep wallet.Kept
	var err error
	if keep.Deposit, keep.Reserve, err = amounts("--keep-deposit", o.keepDeposit, "--keep-reserve", o.keepReserve); err != nil || keep.Deposit.IsZero() && keep.Reserve.IsZero() {
		return nil, err
	}
	return &keep, nil
}

// NewUnlock is pmctl unlock, with its subcommand cancel.
func NewUnlock(r *cli.Run) *cobra.Command {
	cmd := newAction(r, wallet.Unlock, &cobra.Command{
		Use:   "unlock",
		Short: "Start the unlock period before a withdrawal",
		Long: `Start the unlock period. After it, pmctl withdraw returns the deposit and the
reserve, both in full. Your tickets stay redeemable until then, but recipients
stop accepting new ones shortly before.`,
		Example: `  pmctl unlock
  pmctl unlock --yes --output json`,
	})
	cmd.AddCommand(newAction(r, wallet.CancelUnlock, &cobra.Command{
		Use:   "cancel",
		Short: "Cancel the unlock and keep the funds",
		Long: `Cancel an unlock in progress. The deposit and the reserve are locked again, and
recipients accept your tickets.`,
		Example: `  pmctl unlock cancel`,
	}))
	return cmd
}

// NewWithdraw is pmctl withdraw.
func NewWithdraw(r *cli.Run) *cobra.Command {
	return newAction(r, wallet.Withdraw, &cobra.Command{
		Use:   "withdraw",
		Short: "Withdraw the deposit and the reserve",
		Long: `Return the whole deposit and the whole reserve to your account, once the unlock
period has ended. The contract has no partial withdrawal.`,
		Example: `  pmctl withdraw
  pmctl withdraw --yes --output json`,
	})
}

// newAction is a command that does one thing with the contract.
func newAction(r *cli.Run, action func() wallet.Action, cmd *cobra.Command) *cobra.Command {
	var o cli.TransactOptions
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return cli.Transact(r, cmd, &o, func(*wallet.Wallet) wallet.Action { return action() })
	}
	o.Register(r, cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputSafe)
	return cmd
}
