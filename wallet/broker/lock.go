package broker

import (
	"math/big"

	"github.com/pmctl/pmctl/wallet/chain"
)

// Lock tells whether a sender's deposit and reserve are locked.
type Lock string

// The states of a sender's funds.
const (
	Empty     Lock = "empty"     // there are none
	Locked    Lock = "locked"    // they back tickets
	Unlocking Lock = "unlocking" // they can be withdrawn from a round to come
	Unlocked  Lock = "unlocked"  // they can be withdrawn
)

// LockOf is the state of a sender's funds. The withdraw round of a sender whose funds are
// gone is a leftover of its last withdrawal.
func LockOf(s *chain.Status) Lock {
	switch {
	case !s.Sender.Funded():
		return Empty
	case s.Sender.WithdrawRound.Sign() == 0:
		return Locked
	case RoundsLeft(s).Sign() > 0:
		return Unlocking
	default:
		return Unlocked
	}
}

// RoundsLeft is how many rounds have to pass before a withdrawal.
func RoundsLeft(s *chain.Status) *big.Int {
	left := new(big.Int).Sub(s.Sender.WithdrawRound, s.Round.Current)
	if left.Sign() < 0 {
		left.SetInt64(0)
	}
	return left
}
