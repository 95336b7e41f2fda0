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
	"github.com/pmctl/pmctl/wallet/wei"
)

func newWithdraw(r *run) *cobra.Command {
	var o transactOptions
	cmd := &cobra.Command{
		Use:   "withdraw",
		Short: "Pay out the deposit and the reserve",
		Long: `Withdraw pays out the whole deposit and the whole reserve to your account, once
the unlock period is over. The contract knows no partial withdrawal.`,
		Example: `  pmctl withdraw
  pmctl withdraw --yes --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.transact(cmd, &o, withdrawAction()) },
	}
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON, outputSafe)
	return cmd
}

func withdrawAction() action {
	return action{label: tx.LabelWithdraw, plan: proposeWithdrawal, report: eventsOf(readWithdrawal)}
}

func proposeWithdrawal(_ context.Context, s situation) (proposal, error) {
	sender := s.status.Sender
	total, err := sender.Deposit.Add(sender.Reserve)
	return proposal{
		call: tx.Call{To: s.status.Contracts.TicketBroker, Data: contract.NewTicketBroker().PackWithdraw()},
		say:  []string{fmt.Sprintf("This pays out %s of deposit and %s of reserve: all of both.", sender.Deposit, sender.Reserve)},
		ask:  fmt.Sprintf("Withdraw %s to %s?", total, s.account),
	}, err
}

func readWithdrawal(log *types.Log) (event, bool) {
	e, err := contract.NewTicketBroker().UnpackWithdrawalEvent(log)
	if err != nil {
		return event{}, false
	}
	return event{
		Name:   "Withdrawal",
		Fields: map[string]string{"sender": e.Sender.Hex(), "deposit": e.Deposit.String(), "reserve": e.Reserve.String()},
		text:   fmt.Sprintf("withdrew %s of deposit and %s of reserve", weiText(e.Deposit), weiText(e.Reserve)),
	}, true
}

// amountEvent is an event that adds an amount to a sender's deposit or reserve.
func amountEvent(name, what string, whose common.Address, amount *big.Int) (event, bool) {
	return event{
		Name:   name,
		Fields: map[string]string{"sender": whose.Hex(), "amount": amount.String()},
		text:   fmt.Sprintf("%s of %s grew by %s", what, whose, weiText(amount)),
	}, true
}

// weiText writes what a contract's event calls an amount.
func weiText(amount *big.Int) string {
	w, err := wei.FromBig(amount)
	if err != nil {
		return amount.String() + " wei"
	}
	return w.String()
}
