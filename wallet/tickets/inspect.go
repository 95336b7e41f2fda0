package tickets

import (
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
)

// Inspection is what a document is, and each part that it has.
type Inspection struct {
	Form        string         `json:"form"`
	Params      *format.Params `json:"params,omitempty"`
	Batch       *Batch         `json:"batch,omitempty"`
	Credentials *Credentials   `json:"credentials,omitempty"`
	// NextParams are those that a recipient's answer to a payment has for the next one.
	NextParams *format.Answer `json:"next_params,omitempty"`

	// TicketParams are those of Params or NextParams.
	TicketParams *pm.TicketParams `json:"-"`
}

// Batch is a batch with what can be worked out from it.
type Batch struct {
	*format.BatchHeader
	format.TotalEV
	Signatures []Signature `json:"signatures"`

	Signed *pm.TicketBatch `json:"-"`
}

// Signature is that of a ticket.
type Signature struct {
	Nonce uint32        `json:"nonce"`
	Hash  format.Hash   `json:"ticket_hash"`
	Sig   hexutil.Bytes `json:"sig"`
}

// Credentials is a Livepeer-Segment header, without the secret of its token.
type Credentials struct {
	ManifestID string        `json:"manifest_id"`
	Sequence   int64         `json:"sequence"`
	DataHash   hexutil.Bytes `json:"data_hash"`
	Profiles   string        `json:"profiles"`
	// DurationMS is the media's length in milliseconds.
	DurationMS int32         `json:"duration_ms"`
	SessionID  string        `json:"session_id"`
	Expiration time.Time     `json:"expires_at"`
	Sig        hexutil.Bytes `json:"sig"`
	// SignedBy is absent when the signature is none.
	SignedBy *format.Address `json:"signed_by,omitempty"`
}

// Inspect decodes a document, with the lines of tickets that follow it. It fails for a
// nil document, with the errors of format.TicketLines.ReadInto, and for params that do not hold.
func Inspect(document *format.Document, lines *format.TicketLines) (*Inspection, error) {
	if document == nil {
		return nil, errNoDocument
	}
	if err := lines.ReadInto(document); err != nil {
		return nil, err
	}
	found := &Inspection{Form: document.Form, Params: document.Params, NextParams: document.Answer}
	var err error
	switch {
	case document.Params != nil:
		found.TicketParams, err = document.Params.TicketParams()
	case document.Answer != nil:
		found.TicketParams, err = document.Answer.TicketParams()
	}
	if err != nil {
		return nil, err
	}
	if document.Batch != nil {
		found.Batch = newBatch(document.Header, document.Batch)
	}
	if document.Segment != nil {
		found.Credentials = newCredentials(document.Segment)
	}
	return found, nil
}

func newBatch(header *format.BatchHeader, batch *pm.TicketBatch) *Batch {
	total := new(big.Rat).SetInt64(int64(len(batch.SenderParams)))
	found := &Batch{
		BatchHeader: header,
		TotalEV:     format.NewTotalEV(total.Mul(total, batch.EV())),
		Signatures:  make([]Signature, len(batch.SenderParams)),
		Signed:      batch,
	}
	for i, ticket := range batch.Tickets() {
		found.Signatures[i] = Signature{ticket.SenderNonce, format.Hash(ticket.Hash()), batch.SenderParams[i].Sig}
	}
	return found
}

func newCredentials(segment *wire.SegData) *Credentials {
	found := &Credentials{
		ManifestID: format.PlainText(string(segment.GetManifestId())),
		Sequence:   segment.GetSeq(),
		DataHash:   segment.GetHash(),
		Profiles:   format.PlainText(string(segment.GetProfiles())),
		DurationMS: segment.GetDuration(),
		SessionID:  format.PlainText(segment.GetAuthToken().GetSessionId()),
		Expiration: segment.GetAuthToken().Expires(),
		Sig:        segment.GetSig(),
	}
	if signer, ok := SignerOf(wire.SegmentMessage(segment), segment.GetSig()); ok {
		found.SignedBy = (*format.Address)(&signer)
	}
	return found
}
