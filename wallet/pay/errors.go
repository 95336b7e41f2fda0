package pay

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
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

	// ErrBusy is returned when a recipient has no capacity free at the moment. It is wrapped
	// by *RefusedError.
	ErrBusy = errors.New("the recipient has no capacity free at the moment")

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

// Unwrap returns pm.ErrInsufficientSenderReserve, pm.ErrNonceReplayed or ErrBusy when that is
// what the recipient says: its words are all that a recipient answers with.
func (e *RefusedError) Unwrap() error {
	switch {
	case strings.Contains(strings.ToLower(e.Text), "insufficient sender reserve"):
		return pm.ErrInsufficientSenderReserve
	case strings.Contains(strings.ToLower(e.Text), "ticket sendernonce"):
		return pm.ErrNonceReplayed
	case e.Status == 0 && saysBusy(e.Text):
		return ErrBusy
	}
	return nil
}

// saysBusy tells whether a text is how recipients, and proxies before them, say that they
// have no capacity free.
func saysBusy(text string) bool {
	text = strings.ToLower(text)
	for _, word := range []string{"orchestratorcapped", "orchestratorbusy", "busy", "insufficient capacity", "no capacity", "too many requests"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// later is what to do about a recipient that is busy.
const later = "it is busy: try again later, or pay another recipient"

// Hint says what to do about the refusal.
func (e *RefusedError) Hint() string {
	switch {
	case errors.Is(e, ErrBusy):
		return later
	case errors.Is(e, pm.ErrInsufficientSenderReserve):
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
// its tickets may have been accepted. Their nonces stay taken.
type UnknownOutcomeError struct {
	// URL is where the payment went.
	URL string

	// Err is why there is no answer, or what came instead.
	Err error

	// Status is the HTTP status of an answer that is not the recipient's; 0 for none.
	Status int

	// TooLarge tells that the answer says that the payment's header is too large, Busy that
	// it says to come back later.
	TooLarge, Busy bool

	// Request is the id of the payment, under which the same tickets can be delivered
	// again; "" when it has none.
	Request string

	// Again tells that the request's tickets were delivered before, and Over that they
	// cannot be any more.
	Again, Over bool
}

func (e *UnknownOutcomeError) Error() string {
	switch {
	case e.Again && e.Request == "":
		return fmt.Sprintf("the tickets were sent to %s before and not answered; it is still not known whether they were accepted: %v", e.URL, e.Err)
	case e.Again:
		return fmt.Sprintf("request %q was sent to %s before and not answered; it is still not known whether its tickets were accepted: %v", e.Request, e.URL, e.Err)
	}
	return fmt.Sprintf("the payment was sent to %s and the recipient has not answered it; its tickets may have been accepted: %v", e.URL, e.Err)
}

// Unwrap returns why there is no answer.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// Hint says what to do about the missing answer.
func (e *UnknownOutcomeError) Hint() string {
	next := unanswered
	switch {
	case e.Again && errors.As(e.Err, new(*RefusedError)):
		return "a recipient refuses tickets that it has: most likely the first delivery arrived; ask the recipient what it credited before you pay under another id"
	case e.Over:
		return "ask the recipient what it credited before you pay under another id"
	case e.Request != "":
		next = deliverAgain
	}
	switch {
	case 300 <= e.Status && e.Status < 400:
		return "redirects are not followed with a payment: use the recipient's own URL"
	case e.TooLarge:
		return "a proxy before the recipient does not take a header of this size: the next ones that pmctl sends there are smaller; " + next
	case e.Busy && e.Request != "":
		return "it is busy: try again later; " + next
	case e.Busy:
		return later + "; " + next
	case e.Status != 0:
		return "something between you and the recipient answered, such as a proxy or a firewall: check the URL; " + next
	}
	return next
}

const (
	// unanswered is what to do about tickets without an answer that were made for no
	// request.
	unanswered = "do not deliver these tickets again; ask the recipient whether it credited them, and pay the rest with fresh ticket params"

	// deliverAgain is what to do about those that were.
	deliverAgain = "run it again with the same --request-id: it delivers the same tickets, which are never paid twice"
)

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

// PartialError is a payment in several parts, of which not all are known to be accepted.
type PartialError struct {
	// Request is the id under which the rest can be paid.
	Request string

	// Paid is what was accepted.
	Paid policy.Sum

	// Err is why there is no more.
	Err error
}

func (e *PartialError) Error() string {
	if e.Paid.Tickets == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v; %d other tickets of the payment, worth %s, are accepted", e.Err, e.Paid.Tickets, wei.Format(e.Paid.EV))
}

// Unwrap returns why there is no more.
func (e *PartialError) Unwrap() error { return e.Err }

// Hint says how to pay the rest.
func (e *PartialError) Hint() string {
	var unknown *UnknownOutcomeError
	why, _ := hint.Of(e.Err)
	switch {
	case errors.As(e.Err, new(*RefusedBeforeError)), errors.As(e.Err, &unknown) && (unknown.Over || errors.As(unknown.Err, new(*RefusedError))):
		return why
	case unknown == nil && errors.As(e.Err, new(*RefusedError)):
		return why
	}
	rest := fmt.Sprintf("to pay the rest, and nothing twice, run it again with --request-id %s", e.Request)
	if why == "" || unknown != nil {
		return rest
	}
	return why + "; " + rest
}

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
