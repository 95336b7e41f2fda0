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

// Headers are the two HTTP headers that make a payment.
type Headers struct {
	// Payment is the value of Livepeer-Payment: the tickets.
	Payment string
	// Segment is the value of Livepeer-Segment: the credentials.
	Segment string
}

func headersOf(batch *pm.TicketBatch, segment string) (Headers, error) {
	payment, err := wire.PaymentFor(batch)
	if err != nil {
		return Headers{}, err
	}
	value, err := wire.EncodeHeader(payment)
	return Headers{Payment: value, Segment: segment}, err
}

// SegmentHeader returns the credentials, the value of Livepeer-Segment, for an offer's auth token,
// which names the session to credit. It returns *wire.MissingError for an offer without a token,
// *wire.ExpiredTokenError for an expired one, and the key's errors.
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

// CheckToken returns the token errors of SegmentHeader, for an offer of u; the zero URL is an
// unknown origin.
func CheckToken(u URL, token *wire.AuthToken, now time.Time) error {
	err := token.Check(now)
	if err == nil || u == (URL{}) {
		return err
	}
	return fmt.Errorf("the offer of %s: %w", u, err)
}

// HTTP returns both headers.
func (h Headers) HTTP() http.Header {
	header := make(http.Header)
	header.Set(wire.PaymentHeader, h.Payment)
	header.Set(wire.SegmentHeader, h.Segment)
	return header
}
