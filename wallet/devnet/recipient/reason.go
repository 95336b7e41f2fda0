package recipient

import (
	"errors"
	"fmt"

	"github.com/pmctl/pmctl/pm"
)

// The reasons of refusals in Status.
const (
	ReasonUnlocking      = "unlocking sender"
	ReasonWrongRecipient = "wrong recipient"
	ReasonZeroSender     = "zero sender"
	ReasonRand           = "rand mismatch"
	ReasonSignature      = "bad signature"
	ReasonNonceSeen      = "nonce seen"
	ReasonNonceCap       = "too many nonces"
	ReasonExpired        = "expired"
	ReasonReserve        = "insufficient sender reserve"
)

// reason names why a request or a ticket was refused: by a Reason, or by the error's text.
func reason(err error) string {
	for _, known := range []struct {
		err  error
		name string
	}{
		{pm.ErrSenderUnlocking, ReasonUnlocking},
		{pm.ErrTicketRecipient, ReasonWrongRecipient},
		{pm.ErrTicketSender, ReasonZeroSender},
		{pm.ErrRecipientRand, ReasonRand},
		{pm.ErrTicketSignature, ReasonSignature},
		{pm.ErrNonceReplayed, ReasonNonceSeen},
		{pm.ErrTooManyNonces, ReasonNonceCap},
		{pm.ErrTicketParamsExpired, ReasonExpired},
		{pm.ErrInsufficientSenderReserve, ReasonReserve},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return err.Error()
}

// worded is an error in the deployed node's words.
type worded struct {
	text string
	err  error
}

func (e *worded) Error() string { return e.text }
func (e *worded) Unwrap() error { return e.err }

// asDeployed writes a ticket's refusal as the deployed node does, where senders see its words.
func asDeployed(err error, ticket *pm.Ticket) error {
	if errors.Is(err, pm.ErrNonceReplayed) {
		return &worded{fmt.Sprintf("invalid ticket senderNonce: already seen sender=%v nonce=%d", ticket.Sender, ticket.SenderNonce), err}
	}
	return err
}
