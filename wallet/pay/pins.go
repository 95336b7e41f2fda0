package pay

import (
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store"
)

// Known stores which address was paid at which URL.
type Known interface {
	// Recipient returns the address that sender paid last at url, or the zero address.
	Recipient(ctx context.Context, sender common.Address, url string) (common.Address, error)

	// PinRecipients pins the address behind each URL, in one transaction. For each it returns the
	// address that is pinned instead, if accept does not list the new one.
	PinRecipients(ctx context.Context, sender common.Address, pins []store.Pin, accept []common.Address) ([]common.Address, error)
}

// Pins ties each recipient's URL to the address paid there. The first address is pinned; another
// one later needs the user's consent, since neither TLS nor a signature authenticates the server.
type Pins struct {
	Known  Known
	Sender common.Address
	// Accept are addresses that may replace a pinned one.
	Accept []common.Address
	// Only is the one address that may be paid, whatever is pinned; zero for any.
	Only common.Address
}

// Check returns *OtherRecipientError if recipient is not the Only one, or differs from the pinned
// address and is not accepted.
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

// Keep pins recipient to u. Call it right before nonces are reserved; it returns the errors of
// Check, since another process may have pinned another address meanwhile.
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

func (p Pins) accepted() []common.Address {
	if p.Only == (common.Address{}) {
		return p.Accept
	}
	return append(slices.Clip(p.Accept), p.Only)
}

// KeepAll does what Keep does for each pin, in order and in one transaction. A refused pin has an
// error and does not affect the others, but if one is not the Only address, none is kept.
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
