package check

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// books is the store: nonces, spending and transactions.
type books struct {
	*node
	store *store.Store // nil if there is none, or it must not be opened
}

func (b *books) checks() []Check {
	return []Check{
		{"store", []string{"config"}, b.sound},
		{"budget", []string{"store", "limits", "network", "account"}, b.anyBudget},
		{"transactions", []string{"store", "contracts", "account"}, b.bound(b.transactions)},
	}
}

// sound opens the store only if that changes nothing in it.
func (b *books) sound(ctx context.Context) Finding {
	const wanted, knob = "a store that is sound", OwnerUser + "--store, PMCTL_STORE, or store in the config file"
	location, err := b.Store()
	var report *store.Report
	if err == nil {
		report, err = store.Check(ctx, location, store.RememberIn(b.DatabasesDir))
	}
	switch {
	case errors.Is(err, store.ErrNoStore):
		return Fine("none yet: the first command that needs a store creates it")
	case err != nil:
	case len(report.Problems) > 0:
		return Fail(&store.DamagedError{Path: report.Path, Err: fmt.Errorf("%w: %s", store.ErrDamaged, report.Problems[0])}, wanted, knob)
	case report.MigratedTo != "":
		return Fail(&store.MovedError{To: report.MigratedTo}, "a store that is in use", knob)
	case report.CopyReason != "":
		return Warn(report.CopyReason, "a store that was not moved, copied or restored", knob,
			"pmctl store acknowledge shows what may be repeated; until then transactions and unknown request IDs are refused")
	default:
		b.store, err = store.Open(ctx, location, store.RememberIn(b.DatabasesDir))
	}
	switch {
	case err != nil:
		return Fail(err, wanted, knob).Or(StoreHint(err)).Or("run pmctl store check for details")
	case report.Restored != nil:
		return Fail(&store.UnacknowledgedError{Restored: *report.Restored}, wanted, knob)
	}
	return Fine("%s", report.Path)
}

// StoreHint returns what to do about a file that cannot be used as a store; "" for other errors.
func StoreHint(err error) string {
	if errors.Is(err, store.ErrAccess) && errors.As(err, new(*fs.PathError)) {
		return "choose a writable file with PMCTL_STORE or --store FILE (the default is below XDG_STATE_HOME, else HOME)"
	}
	return ""
}

func (b *books) ledger() *store.Chain { return b.store.Chain(b.Network.ChainID) }

// anyBudget checks whether anything may still be spent today.
func (b *books) anyBudget(ctx context.Context) Finding {
	return b.budget(ctx, common.Address{}, policy.Cost(1, big.NewRat(1, 1), big.NewInt(1)))
}

// budget checks whether the day's budget has room for tickets to a recipient.
func (b *books) budget(ctx context.Context, recipient common.Address, asked policy.Sum) Finding {
	var spent policy.Spending
	if b.store != nil {
		var err error
		if spent, err = b.ledger().Spending(ctx, b.Address, b.Now()); err != nil {
			return Unread(err)
		}
	}
	if err := b.Limits.CheckBudget(recipient, asked, spent); err != nil {
		return Fail(err, "what the budget allows in a day (UTC)", OwnerUser+"[budget] in the config file")
	}
	for _, setting := range policy.Budgets() {
		if limit, _ := b.Limits.Budget(setting); limit != nil {
			return Fine("within the budget; details: pmctl budget")
		}
	}
	return Fine("none is set")
}

// transactions looks for transactions that were sent and not mined, or whose block was replaced. The
// chain decides, whatever the journal says.
func (b *books) transactions(ctx context.Context) Finding {
	none := Fine("none are open")
	if b.store == nil {
		return none
	}
	journal := b.store.Journal(b.Network.ID())
	defer journal.Close()
	intents, err := journal.Unsettled(ctx, b.Address)
	if err != nil {
		return Unread(err)
	}
	open := slices.DeleteFunc(intents, func(i *tx.Intent) bool { return i.State != tx.Open })
	settled, err := journal.Dropped(ctx, b.Address, 0)
	if err != nil {
		return Unread(err)
	}
	if len(open)+len(settled) == 0 {
		return none
	}
	mined, err := b.client.NonceAt(ctx, b.Address)
	if err != nil {
		return Unread(err)
	}
	unused := func(i *tx.Intent) bool { return i.Nonce >= mined }
	dropped := slices.DeleteFunc(settled, func(i *tx.Intent) bool { return !unused(i) })
	if first := slices.IndexFunc(open, unused); first >= 0 { // the oldest one blocks the others
		return b.waiting(ctx, open[first], dropped, mined)
	}
	if len(dropped) > 0 {
		why := fmt.Errorf("it was mined with nonce %d, which is unused now: its block was replaced, or the node is behind", dropped[0].Nonce)
		hash := dropped[0].Hash()
		return Fail(hint.With(&tx.NotMinedError{Hash: hash, Err: why}, "wait for it: pmctl tx wait %s", hash), "none pending", OwnerNetwork+"the blocks of the chain")
	}
	return none
}

// waiting returns why the oldest open transaction is not mined. dropped were mined in blocks that
// were replaced since. A higher price is proposed only if the price is the cause.
func (b *books) waiting(ctx context.Context, intent *tx.Intent, dropped []*tx.Intent, used uint64) Finding {
	newest := intent.Newest()
	hash := newest.Hash()
	because := func(why error, knob, fix string) Finding {
		err := error(&tx.NotMinedError{Hash: hash, Err: fmt.Errorf("it was signed at %s; %w", intent.CreatedAt.Format(time.RFC3339), why)})
		if fix != "" {
			err = hint.With(err, fix, hash)
		}
		return Fail(err, "none pending", knob)
	}
	if intent.Nonce > used && len(dropped) > 0 && dropped[0].Nonce == used {
		return because(tx.Behind(dropped[0]), OwnerNetwork+"the blocks of the chain", "")
	}
	if intent.Nonce > used {
		return because(tx.Gap(used), OwnerUser+"the transaction that is missing", "")
	}
	known, err := b.client.KnowsTransaction(ctx, hash)
	if err != nil {
		return Unread(err)
	}
	if !known {
		return because(errors.New("the node does not have it"), OwnerNetwork+"the pool of the node", "pmctl tx wait %s sends it again")
	}
	head, err := b.client.Head(ctx)
	if err != nil {
		return Unread(err)
	}
	if base := (*big.Int)(head.BaseFee); base != nil && newest.GasFeeCap().Cmp(base) < 0 {
		return because(fmt.Errorf("it pays at most %s per unit of gas, but the base fee is %s", wei.Text(newest.GasFeeCap()), wei.Text(base)),
			OwnerNetwork+"the gas price; yours: --max-gas-price", "raise its gas price: pmctl tx bump %s")
	}
	return because(errors.New("the node has it, and its gas price suffices"), OwnerNetwork+"how soon it is mined", "wait for it: pmctl tx wait %s")
}
