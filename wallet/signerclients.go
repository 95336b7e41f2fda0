package wallet

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// SignerClients are the clients of the remote signers that use a store.
type SignerClients struct {
	*store.Clients

	// Backing reads what pays the clients' tickets. It is called when an allowance is to be
	// raised; nil lets allowances exceed what can pay them.
	Backing func(context.Context) (*Backing, error)

	now func() time.Time
}

// SignerClients are the clients of the remote signers that use the wallet's store. It fails with
// ErrNoStore.
func (w *Wallet) SignerClients() (*SignerClients, error) {
	if err := w.requireStore(); err != nil {
		return nil, err
	}
	return &SignerClients{Clients: w.store.Clients(), now: w.Now}, nil
}

// Backing is what can pay the tickets of a remote signer's clients.
type Backing struct {
	Sender           common.Address
	Deposit, Reserve wei.Wei

	// Block is the newest block, and Age its age.
	Block uint64
	Age   time.Duration
}

// Backing reads the account's deposit and reserve.
func (r *Reader) Backing(ctx context.Context) (*Backing, error) {
	ctx, cancel := r.bound(ctx)
	defer cancel()
	status, err := r.node.Status(ctx, r.Address)
	if err != nil {
		return nil, err
	}
	funds := status.Sender.Funds
	return &Backing{r.Address, funds.Deposit, funds.Reserve, status.Head.Number, max(0, r.Now().Sub(status.Head.Time))}, nil
}

// Add adds a client as store.Clients.Add does. It also fails with ClassFunds, and as Backing
// does where the backing cannot be read.
func (c *SignerClients) Add(ctx context.Context, client SignerClient, credentials ...SignerCredential) (added *SignerClient, err error) {
	err = c.checked(ctx, client.Name, func(all *store.Clients) (err error) {
		added, err = all.Add(ctx, client, credentials...)
		return err
	})
	return added, err
}

// Change changes a client as store.Clients.Change does, and fails as Add does.
func (c *SignerClients) Change(ctx context.Context, name string, change func(*SignerClient) error) error {
	return c.checked(ctx, name, func(all *store.Clients) error { return all.Change(ctx, name, change) })
}

// errRaised ends a change that raises an allowance, until the backing is read: the store is not
// locked while a node is asked.
var errRaised = errors.New("an allowance is raised")

func (c *SignerClients) checked(ctx context.Context, name string, do func(*store.Clients) error) error {
	if c.Backing == nil {
		return do(c.Clients)
	}
	now := c.now()
	err := do(c.Checked(now, func(change store.ClientChange) error {
		if raises(change, now) {
			return errRaised
		}
		return nil
	}))
	if !errors.Is(err, errRaised) {
		return err
	}
	backing, err := c.Backing(ctx)
	if err != nil {
		return unchecked(name, err)
	}
	return do(c.Checked(now, func(change store.ClientChange) error {
		if !raises(change, now) {
			return nil
		}
		change.Client.Terms.Overcommit = false
		return backing.cover(change, now)
	}))
}

// raises reports whether a change lets the client have more signed.
func raises(change store.ClientChange, now time.Time) bool {
	var before, after *big.Rat
	for _, account := range change.All {
		if account.Client == change.Client {
			after = claim(account, now)
			if account.Client = change.Before; change.Before != nil {
				before = claim(account, now)
			}
		}
	}
	return after != nil && (before == nil || after.Cmp(before) > 0)
}

// claim is what a client may have signed within a day: the least that its allowances leave, where
// those of a day count whole. It is nil without an allowance, and for a client that has ended.
func claim(account SignerAccount, now time.Time) (least *big.Rat) {
	if account.EndedAt(now) {
		return nil
	}
	for _, a := range SignerAllowances(account) {
		if a.Limit == nil {
			continue
		}
		left := a.Limit.Rat()
		if a.Name == store.AllowEVTotal {
			left = a.Left()
		}
		if least == nil || left.Cmp(least) < 0 {
			least = left
		}
	}
	return least
}

// cover fails with ClassFunds where deposit and reserve cannot pay what the clients may
// have signed.
func (b *Backing) cover(change store.ClientChange, now time.Time) error {
	var clients int
	var own *big.Rat // the client's claim
	sum := new(big.Rat)
	for _, account := range change.All {
		amount := claim(account, now)
		if amount == nil {
			continue
		}
		clients++
		sum.Add(sum, amount)
		if account.Client == change.Client {
			own = amount
		}
	}
	total := new(big.Rat).Add(b.Deposit.Rat(), b.Reserve.Rat())
	if sum.Cmp(total) <= 0 {
		return nil
	}
	err := fmt.Errorf("the allowances of %s come to %s (%s of client %q), above the %s that the deposit (%s) and the reserve (%s) of %s can pay as of block %d, %s old",
		words.Count(clients, "client"), wei.Format(sum), wei.Format(own), change.Client.Name,
		wei.Format(total), b.Deposit, b.Reserve, b.Sender.Hex(), b.Block, duration.Text(b.Age.Round(time.Second)))
	return hint.With(hint.Kind(ClassFunds, err), "add funds with pmctl fund, lower an allowance with pmctl signer client set, or pass --overcommit to accept that payments may fail")
}

// unchecked is returned for a client's allowance that cannot be compared with deposit and reserve.
func unchecked(client string, err error) error {
	advice := "pass --overcommit to set the allowance without this check"
	if said, ok := hint.Of(err); ok {
		advice = said + "; or " + advice
	}
	return hint.With(fmt.Errorf("cannot check that deposit and reserve cover the allowance of client %q: %w", client, err), "%s", advice)
}
