package pay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

var (
	// ErrUnreachable is returned if no connection or answer came about. Nothing was delivered.
	ErrUnreachable = errors.New("the recipient cannot be reached")

	// ErrNotRecipient is returned if the server at the URL is not a recipient.
	ErrNotRecipient = errors.New("not a recipient")

	// ErrNoTicketParams is returned if a recipient offers no ticket params, since it works without
	// being paid.
	ErrNoTicketParams = errors.New("the recipient offers no ticket params, so it does not accept payments")

	// ErrBusy is returned by Fetch if a recipient has no free capacity. *RefusedError wraps it. A
	// payment to a busy recipient ends with an *UnknownOutcomeError that has Busy set.
	ErrBusy = errors.New("the recipient has no free capacity")

	// ErrMalformed is returned for an answer that violates the protocol. It wraps the reason.
	ErrMalformed = errors.New("the recipient's answer is malformed")
)

// Silent returns the ErrUnreachable of a recipient that was asked at url. It wraps the network's error.
func Silent(url URL, reason string, err error) error {
	return hint.Kind(err, fmt.Errorf("%w at %s: %s", ErrUnreachable, url, reason))
}

// RefusedError is a recipient's own refusal of a request or a payment.
type RefusedError struct {
	// URL is where the request was sent.
	URL string

	// Status is the HTTP status of a refused payment, 0 for refused params.
	Status int

	// Text is what the recipient says, shortened to one line.
	Text string

	// TicketsTaken reports whether, by the protocol, the recipient may have kept some tickets of the
	// refused payment: they can win and be redeemed, but are not credited. If it is false, only the
	// recipient says that it kept none; pmctl never repeats such a payment by itself.
	TicketsTaken bool
}

func (e *RefusedError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("the recipient at %s refuses: %s", e.URL, e.Text)
	}
	return fmt.Sprintf("the recipient at %s refuses the payment (status %d): %s", e.URL, e.Status, e.Text)
}

// Unwrap returns pm.ErrInsufficientSenderReserve, pm.ErrNonceReplayed or ErrBusy if the text says
// so: recipients send no codes.
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

// saysBusy reports whether a text is one of those by which recipients, or proxies, say that they
// have no free capacity.
func saysBusy(text string) bool {
	text = strings.ToLower(text)
	words := []string{"orchestratorcapped", "orchestratorbusy", "busy", "insufficient capacity", "no capacity", "too many requests"}
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

const later = "it is busy: try again later, or pay another recipient"

// Hint says what can be done.
func (e *RefusedError) Hint() string {
	switch {
	case errors.Is(e, ErrBusy):
		return later
	case errors.Is(e, pm.ErrInsufficientSenderReserve):
		return "add to the reserve: pmctl fund --reserve AMOUNT"
	case e.Status == 400 && e.TicketsTaken:
		return "its nonces were used before, unless it says otherwise: pay with fresh ticket params; later tickets in the batch may have been accepted without credit"
	case e.Status == 402:
		return "the payment header was changed on its way: look for a proxy in between"
	case e.Status == 403:
		return "the recipient has ended the session; by the protocol it kept no ticket, but cannot prove it: paying again begins a new session"
	case e.Status >= 500:
		return "the recipient could not create fresh ticket params; by the protocol it kept no ticket, but cannot prove it"
	}
	return ""
}

// UnknownOutcomeError is returned for a payment that was sent and not answered by the recipient.
// Its tickets may have been accepted; their nonces stay reserved.
type UnknownOutcomeError struct {
	// URL is where the payment was sent.
	URL string

	// Err is why there is no answer, or the answer that is not the recipient's.
	Err error

	// Status is the HTTP status of such an answer; 0 for none.
	Status int

	// TooLarge reports whether the answer rejects the payment's header as too large, Busy whether it asks
	// to retry later.
	TooLarge, Busy bool

	// Request is the request ID under which the same tickets can be delivered again; "" for none.
	Request string

	// Again reports whether the request's tickets were delivered before, Over whether they cannot be
	// delivered any more.
	Again, Over bool
}

func (e *UnknownOutcomeError) Error() string {
	switch {
	case e.Again && e.Request == "":
		return fmt.Sprintf("the tickets were sent to %s before without an answer; they may have been accepted: %v", e.URL, e.Err)
	case e.Again:
		return fmt.Sprintf("request %q was sent to %s before without an answer; its tickets may have been accepted: %v", e.Request, e.URL, e.Err)
	}
	return fmt.Sprintf("the payment was sent to %s without an answer from the recipient; its tickets may have been accepted: %v", e.URL, e.Err)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// Hint says what can be done.
func (e *UnknownOutcomeError) Hint() string {
	next := unanswered
	switch {
	case e.Again && errors.As(e.Err, new(*RefusedError)):
		return "recipients refuse tickets they already have, so the first delivery probably arrived; ask the recipient what it credited before you pay with another --request-id"
	case e.Over:
		return "ask the recipient what it credited before you pay with another --request-id"
	case e.Request != "":
		next = deliverAgain
	}
	switch {
	case 300 <= e.Status && e.Status < 400:
		return "pmctl follows no redirect with a payment: use the recipient's own URL"
	case e.TooLarge:
		return "a proxy before the recipient rejects headers of this size: pmctl will send smaller ones; " + next
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
	// unanswered is the hint for tickets without a request ID.
	unanswered = "do not deliver these tickets again; ask the recipient which of them it credited, and pay the rest with fresh ticket params"
	// deliverAgain is the hint for tickets with one.
	deliverAgain = "run the command again with the same --request-id: it delivers the same tickets, which are never paid twice"
)

// errSent is matched by the error of a payment that was not, or may not have been, accepted. The recipient has
// its tickets in any case.
var errSent = errors.New("the tickets were sent")

// PartialError is a payment in several deliveries that are not all accepted.
type PartialError struct {
	// Request is the request ID for paying the rest.
	Request string
	// Paid is what was accepted.
	Paid policy.Sum
	// Err is why the payment stopped.
	Err error
}

func (e *PartialError) Error() string {
	if e.Paid.Tickets == 0 {
		return e.Err.Error()
	}
	were := "were"
	if e.Paid.Tickets == 1 {
		were = "was"
	}
	return fmt.Sprintf("%v; %s of the payment, worth %s, %s accepted", e.Err, words.Count(e.Paid.Tickets, "other ticket"), wei.Format(e.Paid.EV), were)
}

func (e *PartialError) Unwrap() error { return e.Err }

// Hint says what can be done.
func (e *PartialError) Hint() string {
	var unknown *UnknownOutcomeError
	why, _ := hint.Of(e.Err)
	switch {
	case errors.As(e.Err, new(*RefusedBeforeError)), errors.As(e.Err, &unknown) && (unknown.Over || errors.As(unknown.Err, new(*RefusedError))):
		return why
	case unknown == nil && errors.As(e.Err, new(*RefusedError)):
		return why
	}
	rest := fmt.Sprintf("to pay the rest, and nothing twice, run the command again with --request-id %s", e.Request)
	if why == "" || unknown != nil {
		return rest
	}
	return why + "; " + rest
}

// wordless stands for an empty text.
const wordless = "(no reason given)"

// OneLine makes a received text safe for a terminal and a log: one line of at most 300 characters,
// without control characters.
func OneLine(text string) string {
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
	text = words.Cut(text, most)
	if text == "" {
		return wordless
	}
	return text
}
