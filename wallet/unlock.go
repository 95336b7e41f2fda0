package wallet

import (
	"context"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/tx"
)

// Unlock returns the action that starts the unlock period of the deposit and the reserve, after
// which Withdraw pays both out.
func Unlock() Action {
	return Action{label: tx.LabelUnlock, prospect: justCall(broker.Unlock()), plan: proposeUnlock,
		undone: func(f broker.Funds) bool { return !f.Unlocking() }, report: reportEvents(contract.TicketBrokerUnlockEventName)}
}

const redeemedUntil = "Your tickets can be redeemed until then; recipients stop accepting them shortly before."

func proposeUnlock(_ context.Context, s situation) (proposal, error) {
	sender, round := s.status.Sender, s.status.Round
	from := new(big.Int).Add(round.Current, s.status.UnlockPeriod)
	return proposal{
		say: []string{
			fmt.Sprintf("This unlocks %s of deposit and %s of reserve; both can be withdrawn from round %v (current round: %v).",
				sender.Deposit, sender.Reserve, from, round.Current),
			redeemedUntil,
		},
		ask: fmt.Sprintf("Unlock the deposit and the reserve of %s?", s.account),
	}, nil
}

// CancelUnlock returns the action that locks the deposit and the reserve again.
func CancelUnlock() Action {
	return Action{label: tx.LabelCancelUnlock, prospect: justCall(broker.CancelUnlock()), plan: proposeCancel,
		undone: broker.Funds.Unlocking, report: reportEvents(contract.TicketBrokerUnlockCancelledEventName)}
}

func proposeCancel(_ context.Context, s situation) (proposal, error) {
	return proposal{
		say: []string{"This cancels the unlock: deposit and reserve are locked again."},
		ask: fmt.Sprintf("Cancel the unlock of %s?", s.account),
	}, nil
}

// Withdraw returns the action that pays out the whole deposit and reserve after the unlock period.
func Withdraw() Action {
	return Action{label: tx.LabelWithdraw, prospect: justCall(broker.Withdraw()), plan: proposeWithdrawal,
		undone: broker.Funds.Funded, report: reportEvents(contract.TicketBrokerWithdrawalEventName)}
}

func proposeWithdrawal(_ context.Context, s situation) (proposal, error) {
	sender := s.status.Sender
	total, err := sender.Deposit.Add(sender.Reserve)
	return proposal{
		say: []string{fmt.Sprintf("This pays out %s of deposit and %s of reserve.", sender.Deposit, sender.Reserve)},
		ask: fmt.Sprintf("Withdraw %s to %s?", total, s.account),
	}, err
}
