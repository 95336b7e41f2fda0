package wallet

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Funding is an amount to add to a deposit and a reserve.
type Funding struct {
	// Deposit and Reserve are added to the current amounts. One of them may be 0.
	Deposit, Reserve wei.Wei

	// Beneficiary is the account that gets the funds; zero for the sending account itself. Only the
	// beneficiary can withdraw them.
	Beneficiary common.Address

	// CancelUnlock agrees that funding the own account cancels an unlock in progress.
	CancelUnlock bool
}

// ErrNothingToFund is returned if both amounts are 0.
var ErrNothingToFund = errors.New("nothing to fund: both amounts are 0")

// Fund adds to a deposit and a reserve, once. It returns ErrUnlocking if that would cancel an
// unlock and CancelUnlock is not set, ErrNothingToFund, *broker.FundingError if the contract does
// not show the funding, and the errors of Do.
func (w *Wallet) Fund(ctx context.Context, f Funding, o SendOptions) (Transaction, error) {
	return w.Do(ctx, w.Funding(f, !o.Agreed && w.UI.Asks()), o)
}

// Funding returns the action that Fund sends. asks reports whether the user will be asked, and then
// agrees to cancel an unlock as well.
func (w *Wallet) Funding(f Funding, asks bool) Action {
	fund := funding{Funding: f, asks: asks, note: w.note}
	return Action{
		label:    tx.FundLabel(f.Deposit, f.Reserve, f.Beneficiary),
		prospect: fund.prospect,
		plan:     fund.propose,
		report:   fund.report,
	}
}

type funding struct {
	Funding
	asks bool
	// note reports what could not be checked.
	note func(text string, args ...any)
}

// prospect returns the call and the funding that the node must show. propose refuses a sum that
// overflows.
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

func (f funding) forAnother(account common.Address) bool {
	return f.Beneficiary != (common.Address{}) && f.Beneficiary != account
}

// report fails if neither the contract's events nor its balances show the funding.
func (f funding) report(ctx context.Context, s situation, sent *types.Transaction, receipt *types.Receipt, result *Transaction) error {
	compared, err := s.client.CheckFunding(ctx, receipt, f.of(s.account))
	if err != nil && !errors.As(err, new(*broker.FundingError)) {
		err = tx.Unrecorded(receipt, err)
	}
	if err != nil {
		return err
	}
	if !compared {
		warning := format.Warning{Code: "not_compared", Message: fmt.Sprintf("deposit and reserve before and after block %v were not compared: the node no longer has that state, or another transaction in the block changed them", receipt.BlockNumber)}
		result.Warnings = append(result.Warnings, warning)
		f.note("%s", warning.Message)
	}
	cancelled := contract.TicketBrokerUnlockCancelledEventName // the sender's own unlock
	report := reportEvents(contract.TicketBrokerDepositFundedEventName, contract.TicketBrokerReserveFundedEventName, cancelled)
	return report(ctx, s, sent, receipt, result)
}

// of returns the funding as the contract records it.
func (f funding) of(account common.Address) broker.Funding {
	whose := f.Beneficiary
	if whose == (common.Address{}) {
		whose = account
	}
	return broker.Funding{Sender: whose, Deposit: f.Deposit.Big(), Reserve: f.Reserve.Big()}
}

func (f funding) propose(ctx context.Context, s situation) (proposal, error) {
	total, err := f.Deposit.Add(f.Reserve)
	if err != nil {
		return proposal{}, err
	}
	if total.IsZero() {
		return proposal{}, ErrNothingToFund
	}
	say, and := sayFunding(s.account, f.Deposit.String(), f.Reserve.String(), f.Beneficiary), ""
	if f.forAnother(s.account) {
		other, err := s.client.Status(ctx, f.Beneficiary)
		if err != nil {
			return proposal{}, err
		}
		if other.Sender.Unlocking() {
			say = append(say, fmt.Sprintf("An unlock of %v is in progress (withdraw from round %v): it continues, and includes these funds.", f.Beneficiary, other.Sender.WithdrawRound))
		}
		return proposal{say: say, ask: fmt.Sprintf("Move %s of %v to the contract, for %v?", total, s.account, f.Beneficiary)}, nil
	}
	if s.status.Sender.Unlocking() {
		if !f.CancelUnlock && !f.asks {
			return proposal{}, unlocking(s.status.Sender.WithdrawRound)
		}
		say, and = append(say, sayCancelled), ", and cancel the unlock"
	}
	return proposal{say: say, ask: fmt.Sprintf("Move %s to the contract%s?", total, and)}, nil
}

const sayCancelled = "This cancels the unlock that is in progress: your funds become locked again."

func sayFunding(account common.Address, deposit, reserve string, beneficiary common.Address) []string {
	whose, forAnother := "your", beneficiary != (common.Address{}) && beneficiary != account
	if forAnother {
		whose = beneficiary.Hex() + "'s"
	}
	var adds []string
	none := wei.Wei{}.String()
	if deposit != none {
		adds = append(adds, fmt.Sprintf("%s to %s deposit", deposit, whose))
	}
	if reserve != none {
		adds = append(adds, fmt.Sprintf("%s to %s reserve", reserve, whose))
	}
	say := []string{"This adds " + strings.Join(adds, " and ") + "."}
	if forAnother {
		say = append(say, fmt.Sprintf("The funds become %s own: only that account can withdraw them.", whose))
	}
	return say
}

// ErrUnlocking is returned for a funding that would cancel an unlock without the user's consent.
var ErrUnlocking = errors.New("an unlock is in progress")

func unlocking(withdrawRound *big.Int) error {
	return hint.With(fmt.Errorf("%w (withdraw from round %v), and funding your own deposit or reserve would cancel it", ErrUnlocking, withdrawRound),
		"to fund and lock everything again, pass --cancel-unlock")
}
