package pay

import (
	"context"
	"fmt"
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

	// Accept are whom the user names for this very payment, whoever was paid before.
	Accept []common.Address
}

// Check fails with *OtherRecipientError when somebody else than recipient was paid at u
// before and the user has not named recipient.
func (p Pins) Check(ctx context.Context, u URL, recipient common.Address) error {
	if slices.Contains(p.Accept, recipient) {
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

// KeepAll does what Keep does for each pin, in order and in one transaction. A pin that
// is refused has an error, and leaves the others alone.
func (p Pins) KeepAll(ctx context.Context, pins []store.Pin) ([]error, error) {
	others, err := p.Known.PinRecipients(ctx, p.Sender, pins, p.Accept)
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

// OtherRecipientError is ticket params that pay somebody else than the one who was paid
// at the same URL before.
type OtherRecipientError struct {
	// URL is where the params come from.
	URL string

	// Was was paid there before, Now is to be paid.
	Was, Now common.Address
}

func (e *OtherRecipientError) Error() string {
	return fmt.Sprintf("the recipient at %s has changed: you paid %v there, and now %v is to be paid", e.URL, e.Was, e.Now)
}

// Hint says how to find out whether that is right, and how to accept it.
func (e *OtherRecipientError) Hint() string {
	return fmt.Sprintf("nothing in the answer proves who sent it; see what the registry says with pmctl recipient show %v, and accept it with --recipient %v", e.Now, e.Now)
}
