package cmd

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
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
		RunE: func(cmd *cobra.Command, _ []string) error { return r.transact(cmd, &o, unlockIntent) },
	}
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	cmd.AddCommand(newUnlockCancel(r))
	return cmd
}

func unlockIntent(_ context.Context, s situation) (intent, error) {
	status, account := s.status, s.account
	broker := contract.NewTicketBroker()
	from := new(big.Int).Add(status.Round.Current, status.UnlockPeriod)
	return intent{
		call: plainCall(broker.PackUnlock()),
		say: []string{
			fmt.Sprintf("This unlocks %s of deposit and %s of reserve, together, from round %v on (it is round %v now).",
				status.Sender.Deposit, status.Sender.Reserve, from, status.Round.Current),
			"Until then your tickets can be redeemed; shortly before, recipients take no more of them.",
		},
		ask: fmt.Sprintf("Unlock the deposit and the reserve of %s?", account),
		report: eventsOf(func(log *types.Log) (event, bool) {
			e, err := broker.UnpackUnlockEvent(log)
			if err != nil {
				return event{}, false
			}
			return event{
				Name:   "Unlock",
				Fields: map[string]string{"sender": e.Sender.Hex(), "start_round": e.StartRound.String(), "end_round": e.EndRound.String()},
				text:   fmt.Sprintf("unlocking since round %v; withdraw from round %v", e.StartRound, e.EndRound),
			}, true
		}),
	}, nil
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
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.transact(cmd, &o, cancelIntent) },
	}
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

func cancelIntent(_ context.Context, s situation) (intent, error) {
	broker := contract.NewTicketBroker()
	return intent{
		call: plainCall(broker.PackCancelUnlock()),
		say:  []string{"This cancels the unlock: the deposit and the reserve are locked again."},
		ask:  fmt.Sprintf("Cancel the unlock of %s?", s.account),
		report: eventsOf(func(log *types.Log) (event, bool) {
			e, err := broker.UnpackUnlockCancelledEvent(log)
			if err != nil {
				return event{}, false
			}
			return event{Name: "UnlockCancelled", Fields: map[string]string{"sender": e.Sender.Hex()}, text: "the funds of " + e.Sender.Hex() + " are locked again"}, true
		}),
	}, nil
}

// plainCall is a call that moves no ether.
func plainCall(data []byte) func(common.Address) tx.Call {
	return func(to common.Address) tx.Call { return tx.Call{To: to, Data: data} }
}
