package pay

import (
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store"
)

// Known remembers who was paid at which URL.
type Known interface {
	// Recipient returns whom sender paid last at url, or the zero address.
	Recipient(ctx context.Context, sender common.Address, url string) (common.Address, error)

	// PinRecipients pins the address behind each URL, all in one transaction, and returns
	// for each the one that is pinned instead, if accept does not have the new one.
	PinRecipients(ctx context.Context, sender common.Address, pins []store.Pin, accept []common.Address) ([]common.Address, error)
}

// Pins ties each recipient's URL to the address that is paid there. The first one is
// taken as it comes; from then on another one needs the user's word, since neither TLS
// nor a signature tells who answers at a URL.
type Pins struct {
	Known  Known
	Sender common.Address

	// Accept are addresses that the user accepts in place of the one that was paid before.
	Accept []common.Address

	// Only is the one address that may be paid, whatever was paid before; zero for any.
	Only common.Address
}

// Check fails with *OtherRecipientError when recipient is not the Only one, or another
// address was paid at u before and the user has not accepted recipient.
func (p Pins) Check(ctx context.Context, u URL, recipient common.Address) error {
	if err := p.checkOnly(u.String(), recipient); err != nil {
		return err
	}
	if slices.Contains(p.accepted(), recipient) {
		return nil
	}
	was, err := p.Known.Recipient(ctx, p.Sender, u.String())
	if err != nil || was == recipient || was == (common.Address{}) {
		return err
	}
	return &OtherRecipientError{URL: u.String(), Was: was, Now: recipient}
}

// Keep pins recipient behind u. It is called when nonces are about to be taken, and fails
// as Check does: another process may have pinned another address since Check.
func (p Pins) Keep(ctx context.Context, u URL, recipient common.Address) error {
	errs, err := p.KeepAll(ctx, []store.Pin{{URL: u.String(), Recipient: recipient}})
	if err != nil {
		return err
	}
	return errs[0]
}

func (p Pins) checkOnly(u string, recipient common.Address) error {
	if p.Only == (common.Address{}) || p.Only == recipient {
		return nil
	}
	return &OtherRecipientError{URL: u, Was: p.Only, Now: recipient, Named: true}
}

// accepted are the addresses that replace a pinned one.
func (p Pins) accepted() []common.Address {
	if p.Only == (common.Address{}) {
		return p.Accept
	}
	return append(slices.Clip(p.Accept), p.Only)
}

// KeepAll does what Keep does for each pin, in order and in one transaction. A pin that
// is refused has an error, and leaves the others alone.
func (p Pins) KeepAll(ctx context.Context, pins []store.Pin) ([]error, error) {
	for _, pin := range pins {
		if err := p.checkOnly(pin.URL, pin.Recipient); err != nil {
			return nil, err
		}
	}
	others, err := p.Known.PinRecipients(ctx, p.Sender, pins, p.accepted())
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(pins))
	for i, other := range others {
		if other != (common.Address{}) {
			errs[i] = &OtherRecipientError{URL: pins[i].URL, Was: other, Now: pins[i].Recipient}
		}
	}
	return errs, nil
}
