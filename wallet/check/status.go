package check

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Threshold is an amount that an account must have at least.
type Threshold struct {
	// Least is the amount, nil for none; From says where it is set.
	Least *wei.Wei
	From  string
}

// Wanted is what the owner of an account wants of it.
type Wanted struct {
	Deposit, Reserve Threshold

	// DepositMultiplier is how many face values the deposit must hold for tickets.
	DepositMultiplier int
}

// Status is where an account stands, and what is wrong with that.
type Status struct {
	*chain.Status
	Network chain.Network
	Account common.Address
	Offer   UsualOffer

	// Open is how many of the account's transactions are not known to be mined; nil where
	// no journal says so.
	Open *int

	// Findings are what is wrong, the worst first. What has Failed keeps payments from
	// being made, or is less than what is wanted; a Warning is what the owner should know.
	Findings []Finding
}

// Judge fills in the rest of a Status that has what the chain says: from what was seen of
// the store, or why that could not be read.
func (s *Status) Judge(wanted Wanted, seen store.Summary, unread error, now time.Time) {
	s.Offer = Usual(s.Status)
	if age := now.Sub(s.Head.Time); s.Network.MaxHeadAge > 0 && age > s.Network.MaxHeadAge {
		s.fail(chain.ErrUnreachable, "node_behind", "the node's newest block is %s old: it has fallen behind, and what is shown here was", age.Round(time.Second))
	}
	if s.Paused {
		s.fail(contract.ErrPaused, "paused", "the contracts are paused: no transaction and no redemption goes through")
	}
	switch s.Lock() {
	case broker.Unlocking:
		s.fail(policy.ErrUnacceptable, "unlocking", "deposit and reserve are being unlocked; from round %s on recipients refuse tickets. pmctl unlock cancel keeps them",
			new(big.Int).Sub(s.Sender.WithdrawRound, big.NewInt(1)))
	case broker.Unlocked:
		s.fail(policy.ErrUnacceptable, "unlocked", "deposit and reserve can be withdrawn, so recipients refuse tickets. pmctl withdraw pays out, pmctl unlock cancel keeps them")
	}
	s.judgeFunds(wanted)
	if !s.Round.Initialized {
		s.warn("round_not_initialized", "round %v is not initialized: nothing can be redeemed until somebody does that", s.Round.Current)
	}
	s.judgeStore(seen, unread)
}

func (s *Status) fail(err error, id, text string, args ...any) {
	s.Findings = append(s.Findings, Finding{ID: id, State: Failed, Found: fmt.Sprintf(text, args...), Err: err})
}

func (s *Status) warn(id, text string, args ...any) {
	s.Findings = append(s.Findings, Finding{ID: id, State: Warning, Found: fmt.Sprintf(text, args...)})
}

func (s *Status) judgeFunds(wanted Wanted) {
	sender, offer := s.Sender, s.Offer
	for _, of := range []struct {
		noun string
		have wei.Wei
		Threshold
	}{{"deposit", sender.Deposit, wanted.Deposit}, {"reserve", sender.Reserve, wanted.Reserve}} {
		if of.Least != nil && of.have.Cmp(*of.Least) < 0 {
			s.fail(policy.ErrFunds, "below_min_"+of.noun, "the %s of %s is below the %s that %s wants: pmctl fund --%s %vwei",
				of.noun, of.have, of.Least, of.From, of.noun, new(big.Int).Sub(of.Least.Big(), of.have.Big()))
		}
	}
	if s.Lock() == broker.Empty {
		s.fail(policy.ErrFunds, "not_funded", "nothing is deposited, so nobody takes tickets: pmctl fund --deposit AMOUNT --reserve AMOUNT")
		return
	}
	missing := new(big.Int).Mul(offer.FaceValue.Big(), big.NewInt(int64(wanted.DepositMultiplier)))
	if missing.Sub(missing, sender.Deposit.Big()); offer.Refused == nil && missing.Sign() > 0 {
		s.fail(policy.ErrFunds, "deposit_low", "the deposit does not hold %s of %s: tickets of a typical recipient are refused here. pmctl fund --deposit %vwei",
			words.Count(wanted.DepositMultiplier, "face value"), offer.FaceValue, missing)
	}
	switch {
	case s.Round.PoolSize.Sign() == 0:
		s.fail(nil, "no_recipients", "no recipient is active, and none can claim of the reserve")
	case offer.Refused != nil:
		s.fail(policy.ErrFunds, "reserve_low", "a typical recipient refuses: %v. A reserve of %s would do: pmctl fund --reserve AMOUNT", offer.Refused,
			amount(new(big.Int).Mul(offer.Terms.LeastFaceValue(s.GasPrice.Big()), s.Round.PoolSize)))
	case offer.FaceValue.Cmp(offer.WantedFaceValue) < 0:
		s.warn("reserve_small", "the reserve keeps the face value at %s where a typical recipient would like %s: tickets win more often, and recipients pay more for redemptions", offer.FaceValue, offer.WantedFaceValue)
	}
	const dearest = 200_000 // gas, about what the dearest of the account's own transactions takes
	if price := new(big.Int).Mul(s.GasPrice.Big(), big.NewInt(dearest)); sender.Balance.Big().Cmp(price) < 0 {
		s.warn("balance_low", "the balance of %s may not pay for the gas of a transaction, about %s: funds cannot be moved", sender.Balance, amount(price))
	}
}

func (s *Status) judgeStore(seen store.Summary, unread error) {
	switch {
	case errors.Is(unread, store.ErrNoStore):
		return
	case unread != nil:
		s.fail(unread, "store", "the store cannot be read: %v", unread)
		return
	}
	s.Open = &seen.Open
	if seen.Open > 0 {
		verb := "are"
		if seen.Open == 1 {
			verb = "is"
		}
		s.warn("open_transactions", "%s %s not known to be mined: pmctl tx list", words.Count(seen.Open, "transaction"), verb)
	}
	if seen.CopyReason != "" {
		s.warn("store_moved", "the store was moved, copied or restored (%s): the next payment retires its sessions, and counts today's budget as spent", seen.CopyReason)
	}
	if seen.Restored != nil {
		err := &store.UnacknowledgedError{Restored: *seen.Restored}
		s.fail(err, "store_restored", "the store may lack records: %v. %s", seen.Restored.Cause, err.Hint())
	}
}
