package cmd

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/tx"
)

func newUnlock(r *run) *cobra.Command {
	var o transactOptions
	cmd := &cobra.Command{
		Use:   "unlock",
		Short: "Start the way out of the deposit and the reserve",
		Long: `Unlock starts the unlock period, after which pmctl withdraw pays out the deposit
and the reserve: all of both, together. Your tickets stay redeemable until then,
and recipients take no new ones shortly before.`,
		Example: `  pmctl unlock
  pmctl unlock --yes --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.transact(cmd, &o, unlockAction()) },
	}
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON, outputSafe)
	cmd.AddCommand(newUnlockCancel(r))
	return cmd
}

func unlockAction() action {
	return action{label: tx.LabelUnlock, plan: proposeUnlock, report: eventsOf(readUnlock)}
}

func proposeUnlock(_ context.Context, s situation) (proposal, error) {
	sender, round := s.status.Sender, s.status.Round
	from := new(big.Int).Add(round.Current, s.status.UnlockPeriod)
	return proposal{
		call: tx.Call{To: s.status.Contracts.TicketBroker, Data: contract.NewTicketBroker().PackUnlock()},
		say: []string{
			fmt.Sprintf("This unlocks %s of deposit and %s of reserve, together, from round %v on (it is round %v now).",
				sender.Deposit, sender.Reserve, from, round.Current),
			"Until then your tickets can be redeemed; shortly before, recipients take no more of them.",
		},
		ask: fmt.Sprintf("Unlock the deposit and the reserve of %s?", s.account),
	}, nil
}

func readUnlock(log *types.Log) (event, bool) {
	e, err := contract.NewTicketBroker().UnpackUnlockEvent(log)
	if err != nil {
		return event{}, false
	}
	return event{
		Name:   "Unlock",
		Fields: map[string]string{"sender": e.Sender.Hex(), "start_round": e.StartRound.String(), "end_round": e.EndRound.String()},
		text:   fmt.Sprintf("unlocking since round %v; withdraw from round %v", e.StartRound, e.EndRound),
	}, true
}

func newUnlockCancel(r *run) *cobra.Command {
	var o transactOptions
	cmd := &cobra.Command{
		Use:   "cancel",
		Short: "Lock the deposit and the reserve again",
		Long: `Cancel takes an unlock back: the deposit and the reserve are locked again, and
recipients take your tickets.`,
		Example: `  pmctl unlock cancel`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.transact(cmd, &o, cancelAction()) },
	}
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON, outputSafe)
	return cmd
}

func cancelAction() action {
	return action{label: tx.LabelCancelUnlock, plan: proposeCancel, report: eventsOf(readCancel)}
}

func proposeCancel(_ context.Context, s situation) (proposal, error) {
	return proposal{
		call: tx.Call{To: s.status.Contracts.TicketBroker, Data: contract.NewTicketBroker().PackCancelUnlock()},
		say:  []string{"This cancels the unlock: the deposit and the reserve are locked again."},
		ask:  fmt.Sprintf("Cancel the unlock of %s?", s.account),
	}, nil
}

func readCancel(log *types.Log) (event, bool) {
	e, err := contract.NewTicketBroker().UnpackUnlockCancelledEvent(log)
	if err != nil {
		return event{}, false
	}
	return event{
		Name:   "UnlockCancelled",
		Fields: map[string]string{"sender": e.Sender.Hex()},
		text:   "the funds of " + e.Sender.Hex() + " are locked again",
	}, true
}
