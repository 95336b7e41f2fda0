package recipient

import (
	"errors"

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
