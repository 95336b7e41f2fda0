package check

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// books are what the store has: nonces, spending, and transactions.
type books struct {
	*node
	store *store.Store // nil where there is none, or where it must not be opened
}

func (b *books) checks() []Check {
	return []Check{
		{"store", []string{"config"}, b.sound},
		{"budget", []string{"store", "limits", "network", "account"}, b.anyBudget},
		{"transactions", []string{"store", "contracts", "account"}, b.bound(b.transactions)},
	}
}

// sound opens the store only when that changes nothing in it.
func (b *books) sound(ctx context.Context) Finding {
	const wanted, knob = "a store that is sound", Yours + "--store, PMCTL_STORE, or store in the config file"
	location, err := b.Store()
	var report *store.Report
	if err == nil {
		report, err = store.Check(ctx, location, store.RememberIn(b.DatabasesDir))
	}
	switch {
	case errors.Is(err, store.ErrNoStore):
		return Fine("there is none yet: the first command that needs one makes it")
	case err != nil:
	case len(report.Problems) > 0:
		return Fail(&store.DamagedError{Path: report.Path, Err: fmt.Errorf("%w: %s", store.ErrDamaged, report.Problems[0])}, wanted, knob)
	case report.Strange != "":
		return Finding{State: Warning, Found: report.Strange, Allowed: "a store that is where and what it was", Knob: knob,
			Fix: "pmctl store acknowledge shows what may be repeated; until then transactions and unknown request IDs are refused"}
	default:
		b.store, err = store.Open(ctx, location, store.RememberIn(b.DatabasesDir))
	}
	switch {
	case err != nil:
		return Fail(err, wanted, knob).Or(StoreHint(err)).Or("pmctl store check says more")
	case report.Restored != nil:
		return Fail(&store.UnacknowledgedError{Restored: *report.Restored}, wanted, knob)
	}
	return Fine("%s", report.Path)
}

// StoreHint says what can be done about a file that cannot be used as a store; "" about
// anything else.
func StoreHint(err error) string {
	if errors.Is(err, store.ErrAccess) && errors.As(err, new(*fs.PathError)) {
		return "name a place that can be written with PMCTL_STORE or --store FILE (by default it is below XDG_STATE_HOME, else HOME)"
	}
	return ""
}

// ledger is the store's book of the network.
func (b *books) ledger() *store.Chain { return b.store.Chain(b.Network.ChainID) }

// anyBudget finds out whether anything at all may still be spent today.
func (b *books) anyBudget(ctx context.Context) Finding {
	return b.budget(ctx, common.Address{}, policy.Cost(1, big.NewRat(1, 1), big.NewInt(1)))
}

// budget tells whether the day's budget has room for tickets to a recipient.
func (b *books) budget(ctx context.Context, recipient common.Address, asked policy.Sum) Finding {
	var spent policy.Spending
	if b.store != nil {
		var err error
		if spent, err = b.ledger().Spending(ctx, b.Address, b.Now()); err != nil {
			return Unread(err)
		}
	}
	if err := b.Limits.CheckBudget(recipient, asked, spent); err != nil {
		return Fail(err, "what the budget allows in a day (UTC)", Yours+"[budget] in the config file")
	}
	for _, setting := range policy.Budgets() {
		if limit, _ := b.Limits.Budget(setting); limit != nil {
			return Fine("there is room; pmctl budget shows it")
		}
	}
	return Fine("none is set")
}
