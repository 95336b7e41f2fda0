// Package tickets reads signed tickets as documents have them: what they are worth, and whether their
// sender signed them. It asks no node.
package tickets

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
)

var errNoDocument = errors.New("no document: it is nil")

// ErrSignature is returned for tickets or credentials that their sender did not sign as they are.
var ErrSignature = errors.New("invalid signatures")

// Verification says which signatures of a document are their sender's.
type Verification struct {
	// URL is that of the recipient; "" if the document does not name it.
	URL string `json:"url,omitempty"`
	// Sender is who must have signed.
	Sender  format.Address `json:"sender"`
	Tickets int            `json:"tickets"`
	Valid   int            `json:"valid"`
	// Bad are the other tickets.
	Bad []BadTicket `json:"bad"`
	// Credentials are valid or bad; absent when there are none.
	Credentials string `json:"credentials,omitempty"`
	// NotChecked names what cannot be checked offline.
	NotChecked []string `json:"not_checked"`
}

// BadTicket is a ticket that its sender did not sign as it is.
type BadTicket struct {
	Nonce uint32      `json:"nonce"`
	Hash  format.Hash `json:"ticket_hash"`
	// Reason is what is wrong with it, in words.
	Reason string `json:"reason"`
}

// Values of Verification.Credentials.
const (
	CredentialsValid = "valid"
	CredentialsBad   = "bad"
)

// Verify checks every signature of a document, and of the lines that follow it, against
// sender. It fails when ctx ends, for a nil document, and for lines that are none.
func Verify(ctx context.Context, document *format.Document, lines *format.TicketLines, sender common.Address) (*Verification, error) {
	if document == nil {
		return nil, errNoDocument
	}
	v := &Verification{
		Sender:     format.Address(sender),
		Bad:        []BadTicket{},
		NotChecked: []string{"recipient_rand", "expiration", "used"},
	}
	if document.Header != nil {
		v.URL = document.Header.URL
	}
	if document.Batch != nil {
		if err := v.tickets(ctx, document.Batch, lines, sender); err != nil {
			return nil, err
		}
	}
	if segment := document.Segment; segment != nil {
		v.Credentials = CredentialsBad
		if new(pm.DefaultSigVerifier).Verify(sender, wire.SegmentMessage(segment), segment.GetSig()) {
			v.Credentials = CredentialsValid
		}
	}
	return v, nil
}

// ticketFault says why a ticket is not one that sender signed, "" when it is.
func ticketFault(ticket *pm.Ticket, sig []byte, sender common.Address) string {
	hash := ticket.Hash().Bytes()
	if ticket.Sender == sender && new(pm.DefaultSigVerifier).Verify(sender, hash, sig) {
		return ""
	}
	if ticket.Sender != sender {
		return fmt.Sprintf("its sender is %v", ticket.Sender)
	}
	if signer, ok := SignerOf(hash, sig); ok && signer != sender {
		// A ticket that was changed after it was signed gives an arbitrary address.
		return fmt.Sprintf("signed by %v, or changed since it was signed", signer)
	}
	return "recipients reject this signature"
}

// SignerOf is whose personal-message signature sig can be.
func SignerOf(message, sig []byte) (common.Address, bool) {
	if len(sig) != crypto.SignatureLength || sig[crypto.RecoveryIDOffset] < 27 {
		return common.Address{}, false
	}
	recoverable := append([]byte(nil), sig...)
	recoverable[crypto.RecoveryIDOffset] -= 27
	key, err := crypto.SigToPub(accounts.TextHash(message), recoverable)
	if err != nil {
		return common.Address{}, false
	}
	return crypto.PubkeyToAddress(*key), true
}

// Err is nil when everything is signed as it should be.
func (v *Verification) Err() error {
	switch {
	case len(v.Bad) > 0:
		return fmt.Errorf("%w: %d of %s", ErrSignature, len(v.Bad), words.Count(v.Tickets, "ticket"))
	case v.Credentials == CredentialsBad:
		return fmt.Errorf("%w: the credentials are not signed by %v", ErrSignature, common.Address(v.Sender))
	}
	return nil
}
