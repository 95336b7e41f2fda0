package pay

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/wei"
)

var (
	// ErrUnreachable is returned when a recipient could not be talked to at all. It is
	// wrapped by *UnreachableError.
	ErrUnreachable = errors.New("the recipient cannot be reached")

	// ErrNotRecipient is returned when something answers that is not a recipient.
	ErrNotRecipient = errors.New("not a recipient")

	// ErrNoTicketParams is returned when a recipient offers no ticket params: it does
	// its work without being paid.
	ErrNoTicketParams = errors.New("the recipient offers no ticket params: it does not take payments")

	// ErrMalformed is returned for an answer that the protocol does not allow. It wraps
	// what is wrong with it.
	ErrMalformed = errors.New("the recipient's answer is malformed")
)

// UnreachableError is a recipient that could not be talked to. Nothing was delivered.
type UnreachableError struct {
	// URL is where it was looked for.
	URL string

	// Reason says what happened, in words.
	Reason string

	// Err is what the network said.
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%v at %s: %s", ErrUnreachable, e.URL, e.Reason)
}

// Unwrap returns ErrUnreachable and what the network said.
func (e *UnreachableError) Unwrap() []error { return []error{ErrUnreachable, e.Err} }

// RefusedError is a recipient's own refusal of a request or a payment.
type RefusedError struct {
	// URL is where the request went.
	URL string

	// Status is the HTTP status of a refused payment, 0 for refused params.
	Status int

	// Text is what the recipient says, cut to a line.
	Text string

	// TicketsTaken tells that, by the protocol, some of a refused payment's tickets may
	// have been taken nevertheless: they can win and be redeemed, but are not credited.
	// Where it is false that is the recipient's word alone, and nothing proves it: a
	// payment that was sent is never made again by itself.
	TicketsTaken bool
}

func (e *RefusedError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("the recipient at %s refuses: %s", e.URL, e.Text)
	}
	return fmt.Sprintf("the recipient at %s refuses the payment (status %d): %s", e.URL, e.Status, e.Text)
}

// Unwrap returns pm.ErrInsufficientSenderReserve when that is what the recipient
// says: its words are all that a recipient answers with.
func (e *RefusedError) Unwrap() error {
	if strings.Contains(strings.ToLower(e.Text), "insufficient sender reserve") {
		return pm.ErrInsufficientSenderReserve
	}
	return nil
}

// Hint says what to do about the refusal.
func (e *RefusedError) Hint() string {
	switch {
	case e.Unwrap() != nil:
		return "fund a larger reserve: pmctl fund --reserve AMOUNT"
	case e.Status == 400 && e.TicketsTaken:
		return "its nonces are spent: pay with fresh ticket params; tickets behind the refused one may have been taken without being credited"
	case e.Status == 402:
		return "the payment header did not arrive as it was sent: look for a proxy in between"
	case e.Status == 403:
		return "the recipient has ended the session; by the protocol it took no ticket, which nothing proves: paying again begins a new session"
	case e.Status >= 500:
		return "by the protocol no ticket was taken, which nothing proves: the recipient could not make fresh ticket params"
	}
	return ""
}

// UnknownOutcomeError is a payment that was sent and has no answer of the recipient's:
// its tickets may have been accepted. They must not be sent again, since a second
// delivery would be refused as a replay if they were, and their nonces stay taken.
type UnknownOutcomeError struct {
	// URL is where the payment went.
	URL string

	// Err is why there is no answer, or what came instead.
	Err error

	// Status is the HTTP status of an answer that is not the recipient's; 0 for none.
	Status int

	// Request, unless it is empty, is the id of a payment that was delivered before,
	// and could not be again.
	Request string
}

func (e *UnknownOutcomeError) Error() string {
	if e.Request != "" {
		return fmt.Sprintf("request %q was sent to %s before and not answered; it is still not known whether its tickets were accepted: %v", e.Request, e.URL, e.Err)
	}
	return fmt.Sprintf("the payment was sent to %s and the recipient has not answered it; its tickets may have been accepted: %v", e.URL, e.Err)
}

// Unwrap returns why there is no answer.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// Hint says what to do about the missing answer.
func (e *UnknownOutcomeError) Hint() string {
	if e.Request != "" {
		return "a recipient refuses tickets that it has: most likely the first delivery arrived; ask the recipient what it credited before you pay under another id"
	}
	switch {
	case 300 <= e.Status && e.Status < 400:
		return "redirects are not followed with a payment: use the recipient's own URL"
	case e.Status == http.StatusRequestEntityTooLarge, e.Status == http.StatusRequestURITooLong, e.Status == http.StatusRequestHeaderFieldsTooLarge:
		return "a proxy before the recipient takes no headers of this size: pay less at once; " + unanswered
	case e.Status != 0:
		return "something between you and the recipient answered, such as a proxy or a firewall: check the URL; " + unanswered
	}
	return unanswered
}

// unanswered is what to do about tickets without an answer.
const unanswered = "do not deliver these tickets again; ask the recipient whether it credited them, and pay the rest with fresh ticket params"

// DeliveryError is a payment that is not known to be accepted, with the tickets that
// were sent for it. Whatever the recipient says, it has them.
type DeliveryError struct {
	// Tickets are what was sent.
	Tickets *Tickets

	// Err is a *RefusedError or an *UnknownOutcomeError.
	Err error
}

func (e *DeliveryError) Error() string {
	t := e.Tickets
	return fmt.Sprintf("%v (sent: %d of %s to %v, from nonce %d on)", e.Err, t.Nonces.Count, wei.Format(t.TicketEV), t.Params.Recipient, t.Nonces.First)
}

// Unwrap returns what came of the delivery.
func (e *DeliveryError) Unwrap() error { return e.Err }

// wordless stands for a text that says nothing.
const wordless = "(without a word)"

// oneLine makes a stranger's text fit for a terminal and a log: one line of at most
// 300 characters without control characters.
func oneLine(text string) string {
	const most = 300
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case !unicode.IsGraphic(r):
			return '\uFFFD'
		}
		return r
	}, strings.TrimSpace(text))
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	if text == "" {
		return wordless
	}
	return text
}
