package pay

import (
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
)

// Known remembers who was paid at which URL.
type Known interface {
	// Recipient returns whom sender paid last at url, or the zero address.
	Recipient(ctx context.Context, sender common.Address, url string) (common.Address, error)

	// SaveRecipients remembers, all at once, whom sender pays at each URL.
	SaveRecipients(ctx context.Context, sender common.Address, recipients map[string]common.Address) error
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

// Keep remembers that recipient is paid at u. It writes only what is new.
func (p Pins) Keep(ctx context.Context, u URL, recipient common.Address) error {
	return p.KeepAll(ctx, map[URL]common.Address{u: recipient})
}

// KeepAll remembers whom each URL pays, as Keep does, with one write.
func (p Pins) KeepAll(ctx context.Context, recipients map[URL]common.Address) error {
	fresh := make(map[string]common.Address)
	for u, recipient := range recipients {
		was, err := p.Known.Recipient(ctx, p.Sender, u.String())
		if err != nil {
			return err
		}
		if was != recipient {
			fresh[u.String()] = recipient
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return p.Known.SaveRecipients(ctx, p.Sender, fresh)
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
