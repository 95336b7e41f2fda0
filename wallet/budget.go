package wallet

import (
	"context"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Budget is what an account has spent today, and its limits.
type Budget struct {
	ChainID uint64         `json:"chain_id,string"`
	Sender  format.Address `json:"sender"`
	// DayEnds is when the next day's budget begins.
	DayEnds time.Time `json:"day_ends"`
	// CountsAsSpent is why the whole day's budget counts as spent; "" if it does not.
	CountsAsSpent string       `json:"counts_as_spent,omitempty"`
	Tickets       uint64       `json:"tickets"`
	Lines         []BudgetLine `json:"budget"`
}

// BudgetLine is one kind of spending on one recipient, or on all of them.
type BudgetLine struct {
	Recipient  *format.Address `json:"recipient,omitempty"`
	Kind       string          `json:"kind"`
	SpentWei   format.Ceil     `json:"spent_wei"`
	SpentExact format.Fraction `json:"spent_exact"`
	Limit      *wei.Wei        `json:"limit,omitempty"`
	Source     string          `json:"source,omitempty"`
}

// The kinds of spending.
const (
	SpentEV        = "ev"
	SpentFaceValue = "face_value"
)

// BudgetOf returns what the sender has spent today, by the wallet's store. It asks no node.
func BudgetOf(ctx context.Context, w *Wallet, sender common.Address, limits policy.Limits) (*Budget, error) {
	if err := w.requireStore(); err != nil {
		return nil, err
	}
	return budgetOf(ctx, w.ledger(), w.Network.ChainID, sender, limits, w.Now())
}

func budgetOf(ctx context.Context, ledger *store.Chain, chainID uint64, sender common.Address, limits policy.Limits, now time.Time) (*Budget, error) {
	spent, err := ledger.Spending(ctx, sender, now)
	if err != nil {
		return nil, err
	}
	b := &Budget{
		ChainID: chainID, Sender: format.Address(sender),
		DayEnds: spent.Ends(), CountsAsSpent: spent.ExhaustedReason, Tickets: spent.All.Tickets,
	}
	b.add(nil, spent.All, limits, policy.EVPerDay, policy.FaceValuePerDay)
	for _, recipient := range slices.SortedFunc(maps.Keys(spent.Recipients), common.Address.Cmp) {
		b.add((*format.Address)(&recipient), spent.Recipients[recipient], limits, policy.RecipientEVPerDay, policy.RecipientFaceValuePerDay)
	}
	return b, nil
}

func (b *Budget) add(recipient *format.Address, spent policy.Sum, limits policy.Limits, ev, faceValue policy.Setting) {
	spent = spent.Plus(policy.Sum{}) // replaces nil by 0
	limit, where := limits.Budget(ev)
	b.Lines = append(b.Lines, BudgetLine{recipient, SpentEV, format.NewCeil(spent.EV), format.Fraction{Rat: spent.EV}, limit, where})
	limit, where = limits.Budget(faceValue)
	value := new(big.Rat).SetInt(spent.FaceValue)
	b.Lines = append(b.Lines, BudgetLine{recipient, SpentFaceValue, format.NewCeil(value), format.Fraction{Rat: value}, limit, where})
}

// Left is what a line's limit leaves to spend, in wei; nil without a limit.
func (b *Budget) Left(line BudgetLine) *big.Rat {
	left := leftOf(line.Limit, line.SpentExact.Rat)
	if left != nil && b.CountsAsSpent != "" {
		left.SetInt64(0)
	}
	return left
}

func leftOf(limit *wei.Wei, spent *big.Rat) *big.Rat {
	if limit == nil {
		return nil
	}
	left := new(big.Rat).Sub(limit.Rat(), num.OrZero(spent))
	if left.Sign() < 0 {
		left.SetInt64(0)
	}
	return left
}
