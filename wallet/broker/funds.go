package broker

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Funds is a sender's balance in the contract.
type Funds struct {
	// Deposit pays winning tickets, Reserve the part of a face value that exceeds it.
	Deposit, Reserve wei.Wei

	// ClaimedInCurrentRound is what recipients claimed of the reserve in this round.
	ClaimedInCurrentRound wei.Wei

	// WithdrawRound is the round from which everything can be withdrawn. It stays set after a
	// withdrawal; 0 or nil if no unlock is in progress.
	WithdrawRound *big.Int
}

// AskFunds is the data of the view that returns a sender's funds.
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

// Info returns the funds as package pm has them. They are the caller's own.
func (f Funds) Info() *pm.SenderInfo {
	return &pm.SenderInfo{
		Deposit:       f.Deposit.Big(),
		WithdrawRound: new(big.Int).Set(num.OrZero(f.WithdrawRound)),
		Reserve:       &pm.ReserveInfo{FundsRemaining: f.Reserve.Big(), ClaimedInCurrentRound: f.ClaimedInCurrentRound.Big()},
	}
}

// Share is the most that one of a number of recipients may claim of the reserve in a round: an
// equal part; 0 without recipients.
func (f Funds) Share(recipients *big.Int) (wei.Wei, error) {
	if recipients = num.OrZero(recipients); recipients.Sign() <= 0 {
		return wei.Wei{}, nil
	}
	all := f.Reserve.Big()
	return wei.FromBig(all.Add(all, f.ClaimedInCurrentRound.Big()).Div(all, recipients))
}

// Funded reports whether there is anything to unlock or withdraw.
func (f Funds) Funded() bool { return !f.Deposit.IsZero() || !f.Reserve.IsZero() }

// Unlocking reports whether an unlock is in progress or done.
func (f Funds) Unlocking() bool { return num.OrZero(f.WithdrawRound).Sign() != 0 && f.Funded() }

// RoundsLeft is how many rounds have to pass before a withdrawal.
func (f Funds) RoundsLeft(round *big.Int) *big.Int {
	left := new(big.Int).Sub(num.OrZero(f.WithdrawRound), num.OrZero(round))
	if left.Sign() < 0 {
		left.SetInt64(0)
	}
	return left
}

// Lock is the state of a sender's deposit and reserve.
type Lock string

// The states of a sender's funds.
const (
	Empty     Lock = "empty"     // there are none
	Locked    Lock = "locked"    // they back tickets
	Unlocking Lock = "unlocking" // they can be withdrawn from a round to come
	Unlocked  Lock = "unlocked"  // they can be withdrawn
)

// Lock is the state of the funds in a round. Without funds, a withdraw round is left over from
// the last withdrawal.
func (f Funds) Lock(round *big.Int) Lock {
	switch {
	case !f.Funded():
		return Empty
	case !f.Unlocking():
		return Locked
	case f.RoundsLeft(round).Sign() > 0:
		return Unlocking
	default:
		return Unlocked
	}
}
