package look

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// warning is something about an account that its owner should know.
type warning struct {
	// Code names it for programs.
	Code string `json:"code"`
	// Problem tells that it keeps payments from being made, or is below what the owner
	// wants, and so fails a check.
	Problem bool   `json:"problem"`
	Text    string `json:"text"`

	// err is what the problem is, as the table of exit codes knows it.
	err error
}

// warnings are what is wrong, the worst first.
func (v *statusView) warnings(ctx context.Context, s *chain.Status, result *statusResult) []warning {
	list := []warning{}
	problem := func(err error, code, text string, args ...any) {
		list = append(list, warning{code, true, fmt.Sprintf(text, args...), err})
	}
	notice := func(code, text string, args ...any) {
		list = append(list, warning{Code: code, Text: fmt.Sprintf(text, args...)})
	}
	network := v.reader.Network
	if age := v.Now().Sub(s.Head.Time); network.MaxHeadAge > 0 && age > network.MaxHeadAge {
		problem(chain.ErrUnreachable, "node_behind", "the node's newest block is %s old: it has fallen behind, and what is shown here was", age.Round(time.Second))
	}
	if s.Paused {
		problem(contract.ErrPaused, "paused", "the contracts are paused: no transaction and no redemption goes through")
	}
	switch result.Lock {
	case broker.Unlocking:
		problem(policy.ErrUnacceptable, "unlocking", "deposit and reserve are being unlocked; from round %s on recipients refuse tickets. pmctl unlock cancel keeps them",
			new(big.Int).Sub(s.Sender.WithdrawRound, big.NewInt(1)))
	case broker.Unlocked:
		problem(policy.ErrUnacceptable, "unlocked", "deposit and reserve can be withdrawn, so recipients refuse tickets. pmctl withdraw pays out, pmctl unlock cancel keeps them")
	}
	v.fundWarnings(s, result, problem, notice)
	if !s.Round.Initialized {
		notice("round_not_initialized", "round %v is not initialized: nothing can be redeemed until somebody does that", s.Round.Current)
	}
	glimpse, err := store.Glance(ctx, v.reader.Store, wallet.JournalName(network), v.reader.Address, v.Remembered()...)
	switch {
	case errors.Is(err, store.ErrNoStore):
	case err != nil:
		problem(err, "store", "the store cannot be read: %v", err)
	default:
		result.OpenTransactions = &glimpse.Open
		if glimpse.Open > 0 {
			notice("open_transactions", "%s not known to be mined: pmctl tx list", isOrAre(glimpse.Open, "transaction"))
		}
		if glimpse.Strange != "" {
			notice("store_moved", "the store was moved, copied or restored (%s): the next payment retires its sessions, and counts today's budget as spent", glimpse.Strange)
		}
		if glimpse.Restored != nil {
			err := &store.UnacknowledgedError{Restored: *glimpse.Restored}
			problem(err, "store_restored", "the store may lack records: %v. %s", glimpse.Restored.Cause, err.Hint())
		}
	}
	return list
}

// fundWarnings are about amounts.
func (v *statusView) fundWarnings(s *chain.Status, result *statusResult, problem func(error, string, string, ...any), notice func(string, string, ...any)) {
	sender, offer := s.Sender, result.Offer
	for _, t := range v.thresholds {
		if have := t.Of(sender); t.least != nil && have.Cmp(*t.least) < 0 {
			problem(policy.ErrFunds, "below_"+t.Key, "the %s of %s is below the %s that %s wants: pmctl fund --%s %vwei", t.Noun, have, t.least, t.from, t.Noun, missing(have, *t.least))
		}
	}
	if result.Lock == broker.Empty {
		problem(policy.ErrFunds, "not_funded", "nothing is deposited, so nobody takes tickets: pmctl fund --deposit AMOUNT --reserve AMOUNT")
		return
	}
	multiplier := big.NewInt(int64(v.multiplier))
	if need := new(big.Int).Mul(offer.FaceValue.Big(), multiplier); offer.Accepted && sender.Deposit.Big().Cmp(need) < 0 {
		problem(policy.ErrFunds, "deposit_low", "the deposit does not hold %s of %s: tickets of a typical recipient are refused here. pmctl fund --deposit %vwei",
			cli.Plural(multiplier.String(), "face value"), offer.FaceValue, need.Sub(need, sender.Deposit.Big()))
	}
	switch {
	case s.Round.PoolSize.Sign() == 0:
		problem(nil, "no_recipients", "no recipient is active, and none can claim of the reserve")
	case !offer.Accepted:
		problem(policy.ErrFunds, "reserve_low", "a typical recipient refuses: %s. A reserve of %s would do: pmctl fund --reserve AMOUNT", offer.Reason,
			amountText(new(big.Int).Mul(usualConfig(s).LeastFaceValue(s.GasPrice.Big()), s.Round.PoolSize)))
	case offer.FaceValue.Cmp(offer.WantedFaceValue) < 0:
		notice("reserve_small", "the reserve keeps the face value at %s where a typical recipient would like %s: tickets win more often, and recipients pay more for redemptions", offer.FaceValue, offer.WantedFaceValue)
	}
	const dearest = 200_000 // gas, about what the dearest of the account's own transactions takes
	if price := new(big.Int).Mul(s.GasPrice.Big(), big.NewInt(dearest)); sender.Balance.Big().Cmp(price) < 0 {
		notice("balance_low", "the balance of %s may not pay for the gas of a transaction, about %s: funds cannot be moved", sender.Balance, amountText(price))
	}
}

// amountText is an amount of wei for people, also one that no account could hold.
func amountText(v *big.Int) string { return wei.Format(new(big.Rat).SetInt(v)) }

// missing is by how much less one amount is than another, in wei.
func missing(have, want wei.Wei) *big.Int { return new(big.Int).Sub(want.Big(), have.Big()) }

func isOrAre(count int, noun string) string {
	verb := " are"
	if count == 1 {
		verb = " is"
	}
	return cli.Plural(fmt.Sprint(count), noun) + verb
}
