package pay

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/signer"
)

// Headers are the values of the two HTTP headers that a payment is.
type Headers struct {
	// Payment is the value of Livepeer-Payment: the tickets.
	Payment string

	// Segment is the value of Livepeer-Segment: the credentials.
	Segment string
}

// headersOf returns the headers that deliver a batch with the credentials that are there.
func headersOf(batch *pm.TicketBatch, segment string) (Headers, error) {
	payment, err := wire.PaymentFor(batch)
	if err != nil {
		return Headers{}, err
	}
	value, err := wire.EncodeHeader(payment)
	if err != nil {
		return Headers{}, err
	}
	return Headers{Payment: value, Segment: segment}, nil
}

// SegmentHeader returns the credentials, the value of Livepeer-Segment, under an offer's
// auth token, which names the session that is credited. It fails with *wire.MissingError
// for an offer without auth token, with *wire.ExpiredTokenError when the token's life is
// over at now, and with what the key fails with.
func SegmentHeader(ctx context.Context, key signer.Source, token *wire.AuthToken, now time.Time) (string, error) {
	if told, ok := key.(TicketSigner); ok {
		if err := token.Check(now); err != nil {
			return "", err
		}
		return told.SegmentHeader(ctx, token)
	}
	credentials, err := wire.PaymentCredentials(signer.ForPM(ctx, key), token, nil, now)
	if err != nil {
		return "", err
	}
	return wire.EncodeHeader(credentials)
}

// CheckToken fails, as SegmentHeader does, for the auth token of the offer of u, which it
// names; the zero URL is an offer of unknown origin.
func CheckToken(u URL, token *wire.AuthToken, now time.Time) error {
	err := token.Check(now)
	if err == nil || u == (URL{}) {
		return err
	}
	return fmt.Errorf("the offer of %s: %w", u, err)
}

// HTTP returns the headers for a request.
func (h Headers) HTTP() http.Header {
	header := make(http.Header)
	header.Set(wire.PaymentHeader, h.Payment)
	header.Set(wire.SegmentHeader, h.Segment)
	return header
}
