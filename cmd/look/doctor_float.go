package look

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// float is what a recipient reckons with when it chooses a face value.
type float struct {
	terms    pm.TicketParamsConfig
	gasPrice *big.Int
	reserve  *pm.ReserveInfo
	poolSize *big.Int
	// share is what the recipient can still claim, and claimed what it has.
	share, claimed *big.Int
}

// floatOf asks what a recipient can claim; the zero address is one that has claimed
// nothing.
func (p *patient) floatOf(ctx context.Context, recipient common.Address) (*float, error) {
	f := &float{terms: check.Usual(p.status).Terms, gasPrice: p.status.GasPrice.Big(), reserve: p.status.Sender.Info().Reserve, poolSize: p.status.Round.PoolSize, claimed: new(big.Int)}
	f.share = f.reserve.ReserveShare(f.poolSize, nil)
	if recipient == (common.Address{}) {
		return f, nil
	}
	claimable, err := p.node.Claimable(ctx, p.address, recipient)
	if err != nil {
		return nil, err
	}
	f.claimed.Sub(f.share, claimable)
	f.share = claimable
	return f, nil
}

// explain says whether a recipient makes tickets for the sender, and if not, which of the
// two bounds the share of the reserve is below, and how much more reserve would do.
func (f *float) explain() check.Finding {
	const knob = check.Theirs + "-ticketEV, and its gas price; yours: the reserve"
	least := f.terms.LeastFaceValue(f.gasPrice)
	_, err := f.terms.FaceValue(f.gasPrice, f.share, nil)
	if err == nil {
		return check.Fine("%s a recipient; by the defaults it wants %s", amountText(f.share), amountText(least))
	}
	finding := check.Finding{State: check.Warning, Knob: knob, Allowed: f.bounds(least)}
	missing, err := f.reserve.MissingFor(least, f.poolSize, f.claimed)
	if err != nil {
		finding.Found, finding.Fix = err.Error(), "choose an active recipient: pmctl recipient list"
		return finding
	}
	below := "the redemption cost"
	if f.share.Cmp(f.terms.EV) < 0 {
		below = "the EV"
	}
	finding.Found = fmt.Sprintf("%s a recipient (1/%v of the reserve): below %s", amountText(f.share), f.poolSize, below)
	finding.Fix = fmt.Sprintf("this much more does, by the defaults: pmctl fund --reserve %vwei", missing)
	return finding
}

// bounds are the two that a face value must reach, and where they come from.
func (f *float) bounds(least *big.Int) string {
	const usual = 3_000_000_000
	return fmt.Sprintf("at least %s. By go-livepeer's defaults, since its own settings are not known: EV %s, and redemption of %d gas costs %s at the node's gas price, %s at 3 gwei, of which the lower counts",
		amountText(least), amountText(f.terms.EV), f.terms.RedeemGas, amountText(f.terms.TxCost(f.gasPrice)), amountText(f.terms.TxCost(big.NewInt(usual))))
}

// checkMaxFloat replays how a recipient chooses a face value. It can only warn, since
// each has settings of its own, unless the recipient itself has refused.
func (p *patient) checkMaxFloat(ctx context.Context) check.Finding {
	if p.refusesReserve() {
		return p.explainRefusal(ctx)
	}
	f, err := p.floatOf(ctx, common.Address{})
	if err != nil {
		return check.Unread(err)
	}
	return f.explain()
}

// explainRefusal says why a recipient finds the reserve insufficient.
func (p *patient) explainRefusal(ctx context.Context) check.Finding {
	said := p.recipient.fetchErr
	recipient, err := p.supposed(ctx)
	if err != nil {
		return check.Unread(errors.Join(said, err))
	}
	f, err := p.floatOf(ctx, recipient)
	if err != nil {
		return check.Unread(errors.Join(said, err))
	}
	finding := f.explain()
	if finding.State == check.OK {
		finding.Allowed = f.bounds(f.terms.LeastFaceValue(f.gasPrice))
		finding.Fix = "it reckons with other settings than the defaults: ask for its -ticketEV and -maxFaceValue, or add to the reserve: pmctl fund --reserve AMOUNT"
	}
	finding.State, finding.Knob = check.Failed, check.Theirs+"-ticketEV, -maxFaceValue, and its gas price; yours: the reserve"
	finding.Found = fmt.Sprintf("it says %q; it can claim %s", pm.ErrInsufficientSenderReserve, finding.Found)
	finding.Err = cli.WithHint(said, "%s", finding.Fix)
	return finding
}

// supposed is who is behind a URL as far as that can be known without its answer: the
// one who was paid there, or who has entered it in the registry; zero for nobody.
func (p *patient) supposed(ctx context.Context) (common.Address, error) {
	if paid, err := p.paidBefore(ctx); err != nil || paid != (common.Address{}) {
		return paid, err
	}
	pool, err := p.node.Recipients(ctx)
	if err != nil && !errors.Is(err, chain.ErrPoolChanged) {
		return common.Address{}, err
	}
	for _, recipient := range pool {
		if wallet.IsRegisteredAt(recipient, p.recipient.url) {
			return recipient.Address, nil
		}
	}
	return common.Address{}, nil
}

// paidBefore is who was paid at the URL, zero for nobody.
func (p *patient) paidBefore(ctx context.Context) (common.Address, error) {
	if p.store == nil {
		return common.Address{}, nil
	}
	return p.store.Chain(p.network.ChainID).Recipient(ctx, p.address, p.recipient.url.String())
}

// pins are who was paid where, as far as there is a store that tells.
func (p *patient) pins() (pay.Pins, error) {
	named, err := p.o.Limits.Named()
	return pay.Pins{Known: p.store.Chain(p.network.ChainID), Sender: p.address, Accept: named}, err
}

// amountText is an amount of wei for people, also one that no account could hold.
func amountText(v *big.Int) string { return wei.Format(new(big.Rat).SetInt(v)) }
