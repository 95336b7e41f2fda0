package check

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Threshold is the least amount that an account should have.
type Threshold struct {
	// Least is the amount; nil for none. From is where it is set.
	Least *wei.Wei
	From  string
}

// Wanted is what the user wants of an account.
type Wanted struct {
	Deposit, Reserve Threshold
	// DepositMultiplier is how many face values the deposit must cover.
	DepositMultiplier int
}

// Status is an account's state with its problems.
type Status struct {
	*chain.Status
	Network chain.Network
	Account common.Address
	Offer   UsualOffer

	// Open is the number of transactions not known to be mined; nil if there is no journal.
	Open *int

	// Findings are the problems, worst first. A Failed one prevents payments, or violates a
	// threshold.
	Findings []Finding
}

// Judge adds the findings to a Status that has the chain's data, using a look at the store, or the
// error of that.
func (s *Status) Judge(wanted Wanted, seen store.Summary, unread error, now time.Time) {
	s.Offer = Usual(s.Status)
	if age := now.Sub(s.Head.Time); s.Network.MaxHeadAge > 0 && age > s.Network.MaxHeadAge {
		s.fail(chain.ErrUnreachable, "node_behind", "the node's newest block is %s old: the node has fallen behind, and this status is as old", duration.Text(age.Round(time.Second)))
	}
	if s.Paused {
		s.fail(contract.ErrPaused, "paused", "the contracts are paused: no transaction and no redemption goes through")
	}
	switch s.Lock() {
	case broker.Unlocking:
		s.fail(policy.ErrUnacceptable, "unlocking", "deposit and reserve are being unlocked; from round %s recipients refuse tickets. To keep the funds locked: pmctl unlock cancel",
			new(big.Int).Sub(s.Sender.WithdrawRound, big.NewInt(1)))
	case broker.Unlocked:
		s.fail(policy.ErrUnacceptable, "unlocked", "deposit and reserve can be withdrawn, so recipients refuse tickets. pmctl withdraw pays out; pmctl unlock cancel locks them again")
	}
	s.judgeFunds(wanted)
	if !s.Round.Initialized {
		s.warn("round_not_initialized", "round %v is not initialized: no ticket can be redeemed until an orchestrator initializes it", s.Round.Current)
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
			s.fail(policy.ErrFunds, "below_min_"+of.noun, "the %s of %s is below the %s that %s wants: pmctl fund --%s %s",
				of.noun, of.have, of.Least, of.From, of.noun, wei.Flag(new(big.Int).Sub(of.Least.Big(), of.have.Big())))
		}
	}
	if s.Lock() == broker.Empty {
		s.fail(policy.ErrFunds, "not_funded", "there are no funds, so recipients refuse tickets: pmctl fund --deposit AMOUNT --reserve AMOUNT")
		return
	}
	missing := new(big.Int).Mul(offer.FaceValue.Big(), big.NewInt(int64(wanted.DepositMultiplier)))
	if missing.Sub(missing, sender.Deposit.Big()); offer.Refused == nil && missing.Sign() > 0 {
		s.fail(policy.ErrFunds, "deposit_low", "the deposit does not cover %s of %s, so pmctl refuses to pay a typical recipient. pmctl fund --deposit %s",
			words.Count(wanted.DepositMultiplier, "face value"), offer.FaceValue, wei.Flag(missing))
	}
	switch {
	case s.Round.PoolSize.Sign() == 0:
		s.fail(nil, "no_recipients", "no recipient is active, so none can claim from the reserve")
	case offer.Refused != nil:
		s.fail(policy.ErrFunds, "reserve_low", "a typical recipient refuses: %v. A reserve of %s would suffice: pmctl fund --reserve AMOUNT", offer.Refused,
			amount(new(big.Int).Mul(offer.Terms.LeastFaceValue(s.GasPrice.Big()), s.Round.PoolSize)))
	case offer.FaceValue.Cmp(offer.WantedFaceValue) < 0:
		s.warn("reserve_small", "the reserve limits the face value to %s, but a typical recipient asks for %s: tickets win more often, and recipients pay more for redemptions", offer.FaceValue, offer.WantedFaceValue)
	}
	const dearest = 200_000 // gas of the most expensive of the account's own transactions, about
	if price := new(big.Int).Mul(s.GasPrice.Big(), big.NewInt(dearest)); sender.Balance.Big().Cmp(price) < 0 {
		s.warn("balance_low", "the balance of %s may not cover the gas of a transaction, about %s, so funds cannot be moved", sender.Balance, amount(price))
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
	if seen.MigratedTo != "" {
		err := &store.MovedError{To: seen.MigratedTo}
		s.fail(err, "store_migrated", "%v, and creates no tickets: pass --store with its new location", err)
	} else if seen.CopyReason != "" {
		s.warn("store_moved", "the store was moved, copied or restored (%s): the next payment retires its sessions, and counts today's budget as spent", seen.CopyReason)
	}
	if seen.Restored != nil {
		err := &store.UnacknowledgedError{Restored: *seen.Restored}
		s.fail(err, "store_restored", "the store may lack records: %v. %s", seen.Restored.Cause, err.Hint())
	}
}
