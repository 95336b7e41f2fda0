package broker

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Funds are what the contract keeps for a sender.
type Funds struct {
	// Deposit pays winning tickets, Reserve what a face value exceeds it by.
	Deposit, Reserve wei.Wei

	// ClaimedInCurrentRound is what recipients claimed of the reserve in this round.
	ClaimedInCurrentRound wei.Wei

	// WithdrawRound is the round from which everything can be withdrawn. It stays
	// set after a withdrawal; 0 when no unlock is in progress.
	WithdrawRound *big.Int
}

// AskFunds is the data of the view that tells what the contract keeps for a sender.
func AskFunds(sender common.Address) []byte {
	return contract.NewTicketBroker().PackGetSenderInfo(sender)
}

// ReadFunds reads the view's answer.
func ReadFunds(answer []byte) (f Funds, err error) {
	info, err := contract.NewTicketBroker().UnpackGetSenderInfo(answer)
	if err != nil {
		return f, err
	}
	f.WithdrawRound = info.Sender.WithdrawRound
	if f.Deposit, err = wei.FromBig(info.Sender.Deposit); err != nil {
		return f, err
	}
	if f.Reserve, err = wei.FromBig(info.Reserve.FundsRemaining); err != nil {
		return f, err
	}
	f.ClaimedInCurrentRound, err = wei.FromBig(info.Reserve.ClaimedInCurrentRound)
	return f, err
}

// Info are the funds as package pm has them. They are the caller's own.
func (f Funds) Info() *pm.SenderInfo {
	return &pm.SenderInfo{
		Deposit:       f.Deposit.Big(),
		WithdrawRound: new(big.Int).Set(f.WithdrawRound),
		Reserve:       &pm.ReserveInfo{FundsRemaining: f.Reserve.Big(), ClaimedInCurrentRound: f.ClaimedInCurrentRound.Big()},
	}
}

// Share is what the contract lets one of a number of recipients claim of the reserve in a
// round: an equal part; 0 where there is nobody.
func (f Funds) Share(recipients *big.Int) (wei.Wei, error) {
	if recipients.Sign() == 0 {
		return wei.Wei{}, nil
	}
	all := f.Reserve.Big()
	return wei.FromBig(all.Add(all, f.ClaimedInCurrentRound.Big()).Div(all, recipients))
}

// Funded tells whether there is anything to unlock or withdraw.
func (f Funds) Funded() bool { return !f.Deposit.IsZero() || !f.Reserve.IsZero() }

// Unlocking tells whether funds are on their way out.
func (f Funds) Unlocking() bool { return f.WithdrawRound.Sign() != 0 && f.Funded() }

// RoundsLeft is how many rounds have to pass before a withdrawal.
func (f Funds) RoundsLeft(round *big.Int) *big.Int {
	left := new(big.Int).Sub(f.WithdrawRound, round)
	if left.Sign() < 0 {
		left.SetInt64(0)
	}
	return left
}

// Lock tells whether a sender's deposit and reserve are locked.
type Lock string

// The states of a sender's funds.
const (
	Empty     Lock = "empty"     // there are none
	Locked    Lock = "locked"    // they back tickets
	Unlocking Lock = "unlocking" // they can be withdrawn from a round to come
	Unlocked  Lock = "unlocked"  // they can be withdrawn
)

// Lock is the state of the funds in a round. The withdraw round of a sender whose funds are
// gone is a leftover of its last withdrawal.
func (f Funds) Lock(round *big.Int) Lock {
	switch {
	case !f.Funded():
		return Empty
	case f.WithdrawRound.Sign() == 0:
		return Locked
	case f.RoundsLeft(round).Sign() > 0:
		return Unlocking
	default:
		return Unlocked
	}
}
