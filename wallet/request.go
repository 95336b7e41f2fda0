package wallet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// maxRequestID is the longest request ID, in bytes.
const maxRequestID = 128

// ErrRequestID is returned for a malformed request ID.
var ErrRequestID = fmt.Errorf("--request-id: an ID has 1 to %d bytes of printable characters", maxRequestID)

// CheckRequestID returns ErrRequestID for a malformed ID.
func CheckRequestID(id string) error {
	hidden := func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }
	if id == "" || len(id) > maxRequestID || strings.ContainsFunc(id, hidden) {
		return ErrRequestID
	}
	return nil
}

// named returns the request with an ID and a digest of its arguments; nil for the ID "".
func named(id, digest string) (*store.Request, error) {
	if id == "" {
		return nil, nil
	}
	return &store.Request{ID: id, Digest: digest}, CheckRequestID(id)
}

func digestOf(what ...string) string {
	digest := sha256.Sum256([]byte(strings.Join(what, "\n")))
	return hex.EncodeToString(digest[:])
}

func (m *MintOptions) digest() (string, error) {
	source := "url " + m.Recipient.String()
	switch {
	case m.Params == nil:
	case m.Refetched:
		source = recipientOf(m.Params)
	default:
		text, err := m.Params.VersionOneText()
		if err != nil {
			return "", err
		}
		source = "params " + digestOf(string(text))
	}
	return digestOf("batch", source, fmt.Sprint(m.Amount.Count), m.Amount.Value.Decimal()), nil
}

func lineDigest(what string, amount pay.Amount) string {
	return digestOf("stream", what, fmt.Sprint(amount.Count), amount.Value.Decimal())
}

func recipientOf(params *format.Params) string {
	return "recipient " + common.Address(params.Offer.Recipient).Hex()
}

func paymentDigest(to pay.Target, amount pay.Amount, works []wire.Work) string {
	what := []string{"pay", to.String(), amount.Value.Decimal()}
	for _, work := range works {
		what = append(what, work.String())
	}
	return digestOf(what...)
}
