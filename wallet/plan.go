package wallet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// FundPlan is the deposit and reserve that an account needs until its next top-up.
type FundPlan struct {
	Recipients      uint64  `json:"recipients"`
	PoolSize        uint64  `json:"pool_size"`
	FaceValue       wei.Wei `json:"face_value"`
	FaceValueSource string  `json:"face_value_source"`
	Seconds         int64   `json:"seconds"`
	// TotalEV is the expected value of the tickets until then.
	format.TotalEV
	forecast.Plan
	// Account compares the plan with an account; nil if none was given.
	Account *PlannedAccount `json:"funded,omitempty"`
}

// Sources of a plan's face value.
const (
	FaceValueGiven      = "flag"
	FaceValueOfGasPrice = "gas_price"
)

// PlannedAccount is what an account has, and what it lacks of a plan.
type PlannedAccount struct {
	Address    format.Address `json:"sender"`
	Deposit    wei.Wei        `json:"deposit"`
	Reserve    wei.Wei        `json:"reserve"`
	AddDeposit wei.Wei        `json:"add_deposit"`
	AddReserve wei.Wei        `json:"add_reserve"`
	// Unlocking reports that funding the account cancels its unlock.
	Unlocking bool `json:"unlocking,omitempty"`
}

// ErrSmallPool is returned if a network has fewer active recipients than are to be paid.
var ErrSmallPool = errors.New("the pool is smaller than the recipients to pay")

// PlanFunds returns the funds needed until the given time from now. The reader, unless nil,
// supplies what the need leaves out (the pool size, and the face value that recipients ask for at
// the current gas price) and the funds of its account, if it has one. PlanFunds returns
// forecast.ErrNeed, ErrSmallPool and the errors of the reader's node.
func PlanFunds(ctx context.Context, r *Reader, need forecast.Need, until time.Duration) (*FundPlan, error) {
	p := &FundPlan{Recipients: need.Recipients, FaceValueSource: FaceValueGiven, Seconds: int64(until.Seconds()), TotalEV: format.NewTotalEV(need.Spend)}
	if r != nil {
		if err := p.ask(ctx, r, &need); err != nil {
			return nil, err
		}
	}
	var err error
	if p.Plan, err = forecast.Fund(need); err != nil {
		return nil, err
	}
	p.PoolSize, p.FaceValue = p.Sharers, need.FaceValue
	if a := p.Account; a != nil {
		// zero if the account has more
		a.AddDeposit, _ = p.Deposit.Sub(a.Deposit)
		a.AddReserve, _ = p.Reserve.Sub(a.Reserve)
	}
	return p, nil
}

// ask fills in values from the chain.
func (p *FundPlan) ask(ctx context.Context, r *Reader, need *forecast.Need) error {
	ctx, cancel := r.bound(ctx)
	defer cancel()
	status, err := r.node.Status(ctx, r.Address)
	if err != nil {
		return err
	}
	if need.PoolSize == 0 {
		need.PoolSize = status.Round.PoolSize.Uint64()
		if need.PoolSize < need.Recipients {
			return hint.Kind(ErrSmallPool, fmt.Errorf("%s has %s", r.Network.Name, words.Count(need.PoolSize, "active recipient")))
		}
	}
	if need.FaceValue.IsZero() {
		need.FaceValue, p.FaceValueSource = check.Usual(status).WantedFaceValue, FaceValueOfGasPrice
	}
	if r.Address != (common.Address{}) {
		p.Account = &PlannedAccount{
			Address: format.Address(r.Address), Deposit: status.Sender.Deposit, Reserve: status.Sender.Reserve, Unlocking: status.Sender.Unlocking(),
		}
	}
	return nil
}
