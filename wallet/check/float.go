package check

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// float is what a recipient bases its face value on.
type float struct {
	terms    pm.TicketParamsConfig
	gasPrice *big.Int
	reserve  *pm.ReserveInfo
	poolSize *big.Int
	// share is what the recipient can still claim, and claimed what it has claimed.
	share, claimed *big.Int
}

// floatOf reads what a recipient can claim; the zero address stands for one that has claimed
// nothing.
func (n *node) floatOf(ctx context.Context, recipient common.Address) (*float, error) {
	f := &float{terms: usualTerms(n.status), gasPrice: n.status.GasPrice.Big(), reserve: n.status.Sender.Info().Reserve, poolSize: n.status.Round.PoolSize, claimed: new(big.Int)}
	f.share = f.reserve.ReserveShare(f.poolSize, nil)
	if recipient == (common.Address{}) {
		return f, nil
	}
	claimable, err := n.client.Claimable(ctx, n.Address, recipient)
	if err != nil {
		return nil, err
	}
	f.claimed.Sub(f.share, claimable)
	f.share = claimable
	return f, nil
}

// explain says whether a recipient creates ticket params for the sender. If not, it names the bound
// that the share of the reserve is below, and the reserve that would suffice.
func (f *float) explain() Finding {
	least := f.terms.LeastFaceValue(f.gasPrice)
	if _, err := f.terms.FaceValue(f.gasPrice, f.share, nil); err == nil {
		return Fine("%s per recipient; with default settings it asks for %s", amount(f.share), amount(least))
	}
	warn := func(found, fix string) Finding {
		return Warn(found, f.bounds(), OwnerRecipient+"-ticketEV, and its gas price; yours: the reserve", fix)
	}
	missing, err := f.reserve.MissingFor(least, f.poolSize, f.claimed)
	if err != nil {
		return warn(err.Error(), "choose an active recipient: pmctl recipient list")
	}
	below := "the redemption cost"
	if f.share.Cmp(f.terms.EV) < 0 {
		below = "the EV"
	}
	return warn(fmt.Sprintf("%s per recipient (1/%v of the reserve): below %s", amount(f.share), f.poolSize, below),
		fmt.Sprintf("enough with the recipient's default settings: pmctl fund --reserve %s", wei.Flag(missing)))
}

// bounds names the two bounds of a face value, and where they come from.
func (f *float) bounds() string {
	const usual = 3_000_000_000
	return fmt.Sprintf("at least %s. By go-livepeer's defaults, since the recipient's settings are not known: EV %s; a redemption of %d gas costs %s at the node's gas price, %s at 3 gwei, of which the lower counts",
		amount(f.terms.LeastFaceValue(f.gasPrice)), amount(f.terms.EV), f.terms.RedeemGas, amount(f.terms.TxCost(f.gasPrice)), amount(f.terms.TxCost(big.NewInt(usual))))
}

// maxFloat repeats how a recipient chooses a face value. It only warns unless the recipient itself
// has refused, since recipients have their own settings.
func (r *recipient) maxFloat(ctx context.Context) Finding {
	var who common.Address
	var err error
	if r.refusesReserve() {
		who, err = r.supposed(ctx)
	}
	var f *float
	if err == nil {
		f, err = r.floatOf(ctx, who)
	}
	if err != nil {
		return Unread(errors.Join(r.fetchErr, err))
	}
	finding := f.explain()
	if !r.refusesReserve() {
		return finding
	}
	if finding.State == OK {
		finding.Allowed = f.bounds()
		finding.Fix = "the recipient does not use the default settings: ask for its -ticketEV and -maxFaceValue, or add to the reserve: pmctl fund --reserve AMOUNT"
	}
	finding.State, finding.Knob = Failed, OwnerRecipient+"-ticketEV, -maxFaceValue, and its gas price; yours: the reserve"
	finding.Found = fmt.Sprintf("the recipient says %q; it can claim %s", pm.ErrInsufficientSenderReserve, finding.Found)
	finding.Err = hint.With(r.fetchErr, "%s", finding.Fix)
	return finding
}

// supposed returns the recipient at a URL without asking it: the one paid there before, or the one
// that the registry has; zero if unknown.
func (r *recipient) supposed(ctx context.Context) (common.Address, error) {
	if paid, err := r.paidBefore(ctx); err != nil || paid != (common.Address{}) {
		return paid, err
	}
	pool, err := r.client.Recipients(ctx)
	if err != nil && !errors.Is(err, chain.ErrPoolChanged) {
		return common.Address{}, err
	}
	for _, entry := range pool {
		if IsRegisteredAt(entry, r.URL) {
			return entry.Address, nil
		}
	}
	return common.Address{}, nil
}
