package format

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm/wire"
)

// headersDocument is a batch as the headers that deliver it: for many batches in one stream.
type headersDocument struct {
	// URL is where the params were fetched, and Transcoder where to post the headers; "" if they
	// are unknown.
	URL        string `json:"url,omitempty"`
	Transcoder string `json:"transcoder,omitempty"`

	Sender            Address `json:"sender"`
	Recipient         Address `json:"recipient"`
	RecipientRandHash Hash    `json:"recipient_rand_hash"`
	Tickets           uint32  `json:"tickets"`
	FirstNonce        uint32  `json:"first_nonce"`
	TotalEV

	// Headers are the lines of both headers.
	Headers []string `json:"headers"`
}

func newHeadersDocument(h *BatchHeader) *headersDocument {
	return &headersDocument{
		URL: h.URL, Transcoder: cmp.Or(h.Transcoder, h.URL),
		Sender: h.Sender, Recipient: h.Offer.Recipient, RecipientRandHash: h.Offer.RecipientRandHash,
		Tickets: h.Tickets, FirstNonce: h.FirstNonce,
		TotalEV: NewTotalEV(new(big.Rat).Mul(num.OrZero(h.TicketEVExact.Rat), big.NewRat(int64(h.Tickets), 1))),
	}
}

// decodeHeadersDocument reads the headers, and checks that they are those of the document.
func decodeHeadersDocument(head head, document json.RawMessage) (*Document, error) {
	var h headersDocument
	if err := head.unmarshalData(document, &h); err != nil {
		return nil, err
	}
	d, err := decodeHeaders([]byte(strings.Join(h.Headers, "\n")))
	if err != nil {
		return nil, err
	}
	if d.Form != Headers {
		return nil, invalid(&wire.FieldError{Field: "headers", Got: "only " + d.Form, Want: "both headers"})
	}
	d.Header.URL = h.URL
	if h.Transcoder != h.URL {
		d.Header.Transcoder = h.Transcoder
	}
	want := newHeadersDocument(d.Header)
	for _, f := range []struct{ name, got, want string }{
		{"sender", fmt.Sprint(h.Sender), fmt.Sprint(want.Sender)},
		{"recipient", fmt.Sprint(h.Recipient), fmt.Sprint(want.Recipient)},
		{"recipient_rand_hash", fmt.Sprint(h.RecipientRandHash), fmt.Sprint(want.RecipientRandHash)},
		{"tickets", fmt.Sprint(h.Tickets), fmt.Sprint(want.Tickets)},
		{"first_nonce", fmt.Sprint(h.FirstNonce), fmt.Sprint(want.FirstNonce)},
		{"total_ev_wei", h.TotalEVWei.String(), want.TotalEVWei.String()},
		{"total_ev_exact", h.TotalEVExact.String(), want.TotalEVExact.String()},
	} {
		if f.got != f.want {
			return nil, invalid(&wire.FieldError{Field: f.name, Got: f.got, Want: f.want + ", as the headers have it"})
		}
	}
	return d, nil
}
