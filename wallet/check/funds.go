package check

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// funds are the account's funds, as the node reports them.
type funds struct{ *node }

func (f funds) checks() []Check {
	whole := []string{"contracts", "head", "account"}
	fees := []string{"contracts", "paused", "account", "head"}
	return []Check{
		{"balance", fees, f.bound(f.balance)},
		{"gas_price", append(fees, "limits"), f.bound(f.gasPrice)},
		{"deposit", whole, f.deposit},
		{"reserve", whole, f.reserve},
		{"lock", whole, f.lock},
	}
}

// prepared judges the cheapest funding, from the node's estimate.
func (f funds) prepared(ctx context.Context, caps tx.Caps) (err error) {
	funding := cheapestFunding()
	funding.To = f.status.Contracts.TicketBroker
	if f.quote == nil {
		_, err = tx.Prepare(ctx, f.client, f.Address, funding, caps)
	} else {
		_, err = tx.PrepareQuoted(ctx, f.client, f.Address, funding, f.quote, caps)
	}
	return err
}

func (f funds) balance(ctx context.Context) Finding {
	const knob = OwnerUser + "what the account holds"
	err := f.prepared(ctx, tx.Caps{})
	var poor *tx.InsufficientFundsError
	switch {
	case errors.As(err, &poor):
		return Fail(err, fmt.Sprintf("at least %s, for one transaction", poor.Need), knob).At(poor.Have.String())
	case err != nil:
		return Fail(err, "enough for one transaction", knob).Or("pmctl status shows what the account has")
	}
	return Fine("%s", f.status.Sender.Balance)
}

func (f funds) gasPrice(ctx context.Context) Finding {
	if err := f.prepared(ctx, f.Caps); errors.As(err, new(*tx.PriceError)) {
		return Fail(err, "a price within your limits", OwnerUser+"--max-gas-price, --max-fee").Or("wait for a lower price, or raise --max-gas-price or --max-fee")
	}
	return Fine("within your limits")
}

// withdrawn reports whether the sender has withdrawn everything and has no recipient to pay. The
// contract keeps the withdraw round of such a sender.
func (f funds) withdrawn() bool {
	s := &f.status.Sender
	return f.URL == (pay.URL{}) && !s.Funded() && s.WithdrawRound.Sign() != 0
}

func (f funds) deposit(context.Context) Finding {
	if f.withdrawn() {
		return Warn(fmt.Sprintf("%s: everything was withdrawn", f.status.Sender.Deposit), "more than 0, to pay recipients",
			OwnerUser+"what you fund", "to pay again: pmctl fund --deposit AMOUNT --reserve AMOUNT")
	}
	return f.some(pm.ErrNoDeposit, f.status.Sender.Deposit)
}

func (f funds) reserve(context.Context) Finding {
	if f.withdrawn() {
		return NotMade("needs deposit")
	}
	return f.some(pm.ErrNoReserve, f.status.Sender.Reserve)
}

// some checks that a deposit or a reserve is not 0.
func (f funds) some(none error, amount wei.Wei) Finding {
	facts := f.facts()
	facts.Sender.WithdrawRound = nil // a check of its own
	if err := policy.CheckSender(facts); errors.Is(err, none) {
		return Fail(err, "more than 0", OwnerUser+"what you fund").At(amount.String())
	}
	return Fine("%s", amount)
}

// lock checks whether recipients regard the sender as about to withdraw. The withdraw round of a
// sender without funds is a leftover.
func (f funds) lock(context.Context) Finding {
	state := f.status.Lock()
	if state == broker.Empty || state == broker.Locked {
		return Fine("%s", state)
	}
	at := fmt.Sprintf("%s: the funds can be withdrawn from round %v", state, f.status.Sender.WithdrawRound)
	if err := policy.CheckSender(f.facts()); errors.Is(err, pm.ErrSenderUnlocking) {
		return Fail(err, "funds that stay locked for more than a round", OwnerUser+"pmctl unlock").At(at)
	}
	return Warn(at, "funds that stay locked", OwnerUser+"pmctl unlock", "to keep them locked: pmctl unlock cancel")
}

// facts are the chain's facts that the checks of params need.
func (n *node) facts() pm.Facts {
	return pm.Facts{
		LastSeenL1Block:      new(big.Int).SetUint64(n.status.Head.L1Block),
		LastInitializedRound: n.status.Round.LastInitialized,
		Sender:               n.status.Sender.Info(),
	}
}
