package format

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm/wire"
)

// Fraction is an exact amount of wei: "n/d" in lowest terms, with a denominator even when
// that is 1.
type Fraction struct{ *big.Rat }

// String is the fraction as it is written; that of the zero value is 0.
func (f Fraction) String() string {
	if f.Rat == nil {
		return "0/1"
	}
	return f.Rat.String()
}

// MarshalText writes the fraction as String does.
func (f Fraction) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a fraction in lowest terms. It fails with *json.UnmarshalTypeError, to which
// the decoder adds the field.
func (f *Fraction) UnmarshalText(text []byte) error {
	r, ok := ratio(string(text))
	if !ok || r.String() != string(text) {
		return valueError[Fraction](string(text))
	}
	f.Rat = r
	return nil
}

// ratio reads n or n/d, in which only digits stand for n and d.
func ratio(text string) (*big.Rat, bool) {
	const most = 4096 // of n and d together: a sum of EVs of many sessions is long
	if len(text) > most || strings.Trim(text, "0123456789/") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// Ceil is an exact amount of wei, written as the least whole number that is not below it. The zero
// value is 0.
type Ceil struct{ *big.Int }

// NewCeil rounds up; nil counts as 0.
func NewCeil(r *big.Rat) Ceil { return Ceil{num.Ceil(num.OrZero(r))} }

// String is the number in decimal.
func (c Ceil) String() string { return num.OrZero(c.Int).String() }

// MarshalJSON writes a decimal string, where a big.Int would be a number.
func (c Ceil) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// UnmarshalJSON reads a decimal string. It fails with *json.UnmarshalTypeError, to which
// the decoder adds the field.
func (c *Ceil) UnmarshalJSON(text []byte) error {
	digits, ok := decimal(text)
	if !ok {
		return &json.UnmarshalTypeError{Value: quote(strings.Trim(string(text), `"`)), Type: reflect.TypeFor[Ceil]()}
	}
	c.Int, _ = new(big.Int).SetString(digits, 10)
	return nil
}

// TicketEV is the expected value of one ticket: two fields of the object that embeds it.
type TicketEV struct {
	TicketEVWei   Ceil     `json:"ticket_ev_wei"`
	TicketEVExact Fraction `json:"ticket_ev_exact"`
}

// NewTicketEV is ev, in wei, as two fields.
func NewTicketEV(ev *big.Rat) TicketEV { return TicketEV{NewCeil(ev), Fraction{ev}} }

// TotalEV is the expected value of tickets together: two fields of the object that embeds it.
type TotalEV struct {
	TotalEVWei   Ceil     `json:"total_ev_wei"`
	TotalEVExact Fraction `json:"total_ev_exact"`
}

// NewTotalEV is ev, in wei, as two fields.
func NewTotalEV(ev *big.Rat) TotalEV { return TotalEV{NewCeil(ev), Fraction{ev}} }

// check fails with *wire.FieldError unless ev is what the fields say.
func (e TicketEV) check(ev *big.Rat) error {
	switch want := NewTicketEV(ev); {
	case e.TicketEVExact.String() != want.TicketEVExact.String():
		return &wire.FieldError{Field: "ticket_ev_exact", Got: e.TicketEVExact.String(), Want: want.TicketEVExact.String() + ", which is what the ticket params make"}
	case e.TicketEVWei.String() != want.TicketEVWei.String():
		return &wire.FieldError{Field: "ticket_ev_wei", Got: e.TicketEVWei.String(), Want: want.TicketEVWei.String() + ", which is ticket_ev_exact rounded up"}
	}
	return nil
}
