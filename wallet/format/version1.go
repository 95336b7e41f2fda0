package format

import (
	"encoding/json"
	"strings"

	"github.com/pmctl/pmctl/pm/wire"
)

// version1 is what version 2 writes otherwise in a kind of document that pmctl wrote in
// version 1 and still reads, by the path in its data; nil for every other kind.
func version1(kind string) map[string]rewriting {
	switch kind {
	case KindParams:
		return map[string]rewriting{
			"ticket_params.expiration_block":                 asNumber,
			"ticket_params.expiration_params.creation_round": asNumber,
		}
	case KindBatch:
		return map[string]rewriting{
			"ticket_params.expiration_block":   asNumber,
			"expiration_params.creation_round": asNumber,
			"ev":                               asPair,
			"count":                            as("tickets"),
			"tickets":                          as("signatures"),
		}
	case KindUnsigned, KindSigned:
		return map[string]rewriting{
			"what":      as("label"),
			"nonce":     asNumber,
			"gas_limit": asNumber,
			"hash":      as("transaction_hash"),
		}
	case KindStore:
		return map[string]rewriting{
			"reservations[].nonces":           as("tickets"),
			"reservations[].ticket_ev":        asPair,
			"reservations[].expiration_block": asNumber,
			"requests[].nonces":               as("tickets"),
			"requests[].made_at":              as("created_at"),
		}
	}
	return nil
}

// upgrade returns a document of version 1 with its data as version 2 writes it.
func upgrade(kind string, document json.RawMessage) (json.RawMessage, error) {
	if _, err := fields(document); err != nil { // a repeated name would not be one under its new name
		return nil, err
	}
	return rewrite(document, "", map[string]rewriting{"data": func(name string, value json.RawMessage) ([]member, error) {
		data, err := rewrite(value, "", version1(kind))
		return []member{{name, data}}, err
	}})
}

// VersionOneText is the params as JSON as version 1 wrote them. The digests of requests
// that stores remember are made of it.
func (p *Params) VersionOneText() ([]byte, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	rules := version1(KindParams)
	for path := range rules {
		rules[path] = func(at string, value json.RawMessage) ([]member, error) {
			return []member{{lastName(at), json.RawMessage(`"` + string(value) + `"`)}}, nil
		}
	}
	return rewrite(text, "", rules)
}

// as gives a value another name.
func as(name string) rewriting {
	return func(_ string, value json.RawMessage) ([]member, error) { return []member{{name, value}}, nil }
}

// asNumber takes a number out of its quotes.
func asNumber(at string, value json.RawMessage) ([]member, error) {
	digits, ok := decimal(value)
	if !ok {
		return nil, invalid(&wire.FieldError{Field: "data." + at, Got: quote(string(value)), Want: "a decimal number in quotes, without leading zeros"})
	}
	return []member{{lastName(at), json.RawMessage(digits)}}, nil
}

// asPair makes two fields of the EV of a ticket.
func asPair(at string, value json.RawMessage) ([]member, error) {
	text := strings.Trim(string(value), `"`)
	ev, ok := ratio(text)
	if !ok || ev.RatString() != text || len(value) == len(text) {
		return nil, invalid(&wire.FieldError{Field: "data." + at, Got: quote(text), Want: "a decimal number in quotes, or a fraction in lowest terms"})
	}
	rounded, err := json.Marshal(NewCeil(ev))
	if err != nil {
		return nil, err
	}
	exact, err := json.Marshal(Fraction{ev})
	return []member{{"ticket_ev_wei", rounded}, {"ticket_ev_exact", exact}}, err
}

func lastName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
