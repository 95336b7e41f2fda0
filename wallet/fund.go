package wallet

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Funding is what to add to a deposit and a reserve.
type Funding struct {
	// Deposit and Reserve are added to what is there. One of them may be 0.
	Deposit, Reserve wei.Wei

	// Beneficiary is whose they are: zero for the account's own. What another account is
	// given is its own from then on.
	Beneficiary common.Address

	// CancelUnlock agrees that funding the account itself cancels an unlock in progress.
	CancelUnlock bool
}

// ErrNothingToFund is returned for a funding of nothing.
var ErrNothingToFund = errors.New("there is nothing to fund: the deposit and the reserve to add are both 0")

// Fund adds to a deposit and a reserve, once. It fails with *UnlockingError where that
// would cancel an unlock in progress without being told to, with ErrNothingToFund, with *broker.FundingError where
// the contract does not show the funding, and as Do does.
func (w *Wallet) Fund(ctx context.Context, f Funding, o SendOptions) (Transaction, error) {
	return w.Do(ctx, w.Funding(f, !o.Agreed && w.UI.Asks()), o)
}

// Funding is the action that Fund does. asks tells that a person will be asked about it, who
// agrees to what it cancels.
func (w *Wallet) Funding(f Funding, asks bool) Action {
	fund := funding{Funding: f, asks: asks, note: w.note}
	return Action{
		label:    tx.FundLabel(f.Deposit, f.Reserve, f.Beneficiary),
		prospect: fund.prospect,
		plan:     func(_ context.Context, s situation) (proposal, error) { return fund.propose(s) },
		report:   fund.report,
	}
}

type funding struct {
	Funding
	asks bool
	// note tells the user what could not be checked.
	note func(text string, args ...any)
}

// prospect is the call, and what the node must show that it funds. A sum that is no amount
// is refused by propose.
func (f funding) prospect(account common.Address) (tx.Call, *broker.Funding) {
	beneficiary := f.Beneficiary
	if beneficiary == account {
		beneficiary = common.Address{}
	}
	call := tx.Call{Data: broker.Fund(f.Deposit, f.Reserve, beneficiary)}
	call.Value, _ = f.Deposit.Add(f.Reserve)
	funds := f.of(account)
	return call, &funds
}

// forAnother tells whether the funds become another account's.
func (f funding) forAnother(account common.Address) bool {
	return f.Beneficiary != (common.Address{}) && f.Beneficiary != account
}

// report fails for a funding that the contract's events, or the deposit and the reserve
// themselves, do not show.
func (f funding) report(ctx context.Context, s situation, receipt *types.Receipt, result *Transaction) error {
	compared, err := s.client.CheckFunding(ctx, receipt, f.of(s.account))
	if err != nil {
		return err
	}
	if !compared {
		f.note("the deposit and the reserve before and after block %v were not compared: the node no longer shows them, or others changed them in that block", receipt.BlockNumber)
	}
	cancelled := contract.TicketBrokerUnlockCancelledEventName // the sender's own unlock
	report := reportEvents(contract.TicketBrokerDepositFundedEventName, contract.TicketBrokerReserveFundedEventName, cancelled)
	return report(ctx, s, receipt, result)
}

// of is the funding as the contract sees it.
func (f funding) of(account common.Address) broker.Funding {
	whose := f.Beneficiary
	if whose == (common.Address{}) {
		whose = account
	}
	return broker.Funding{Sender: whose, Deposit: f.Deposit.Big(), Reserve: f.Reserve.Big()}
}

func (f funding) propose(s situation) (proposal, error) {
	total, err := f.Deposit.Add(f.Reserve)
	if err != nil {
		return proposal{}, err
	}
	if total.IsZero() {
		return proposal{}, ErrNothingToFund
	}
	say, and := sayFunding(s.account, f.Deposit.String(), f.Reserve.String(), f.Beneficiary), ""
	if !f.forAnother(s.account) && s.status.Sender.Unlocking() {
		if !f.CancelUnlock && !f.asks {
			return proposal{}, &UnlockingError{s.status.Sender.WithdrawRound}
		}
		say, and = append(say, sayCancelled), ", and cancel the unlock"
	}
	return proposal{say: say, ask: fmt.Sprintf("Move %s to the contract%s?", total, and)}, nil
}

const sayCancelled = "This cancels the unlock that is in progress: your funds become locked again."

// sayFunding says what a funding by account does.
func sayFunding(account common.Address, deposit, reserve string, beneficiary common.Address) []string {
	whose, forAnother := "your", beneficiary != (common.Address{}) && beneficiary != account
	if forAnother {
		whose = beneficiary.Hex() + "'s"
	}
	say := []string{fmt.Sprintf("This adds %s to %s deposit and %s to %s reserve.", deposit, whose, reserve, whose)}
	if forAnother {
		say = append(say, fmt.Sprintf("The funds become %s own: you cannot take them back, only that account can withdraw them.", whose))
	}
	return say
}

// UnlockingError is a funding that would cancel an unlock without being told to.
type UnlockingError struct{ WithdrawRound *big.Int }

func (e *UnlockingError) Error() string {
	return fmt.Sprintf("an unlock is in progress (withdraw from round %v), and to fund your own deposit or reserve cancels it", e.WithdrawRound)
}

// Hint says how to go on either way.
func (e *UnlockingError) Hint() string {
	return "to lock everything again and fund, pass --cancel-unlock; pmctl status shows the unlock"
}
