package pay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// Receipt is a recipient's answer to an accepted payment.
type Receipt struct {
	// Next are the fresh params for the session's next payment; nil if the answer has no usable
	// ones.
	Next *Offer

	// NextErr is why Next is nil. The payment was accepted nevertheless.
	NextErr error
}

// Deliver posts a sender's payment to the recipient at transcoder, once. It does not follow
// redirects.
//
// It returns ErrUnreachable, ErrNotRecipient or ctx's error if nothing was sent, *RefusedError if the
// recipient refuses, and *UnknownOutcomeError if the payment was sent, in full or in part, and no answer
// came from the recipient: ctx may have ended, or a proxy or another web server have answered.
func (c *Client) Deliver(ctx context.Context, transcoder URL, sender common.Address, headers Headers) (receipt *Receipt, err error) {
	ended := c.began(transcoder, "POST /payment")
	defer func() { ended(err) }()
	if headers.Segment, err = c.withNeeds(headers.Segment); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	// Once there is a connection, the request may be on its way.
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := http.NewRequestWithContext(traced, http.MethodPost, transcoder.String()+"/payment", nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURL, err)
	}
	request.Header = headers.HTTP()
	request.Header.Set("User-Agent", userAgent)

	size := headers.size(transcoder)
	client := HTTPClient()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	switch {
	case err != nil && connected.Load() && ctx.Err() == nil && endsTooLarge(err, size):
		c.Headers.tooLarge(transcoder, size)
		return nil, &UnknownOutcomeError{URL: transcoder.String(), TooLarge: true, Err: networkError(err, "the server rejected the request header as too large")}
	case err != nil && connected.Load():
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		} else {
			err = networkError(err, reasonOf(err, c.timeout()))
		}
		return nil, &UnknownOutcomeError{URL: transcoder.String(), Err: err}
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, connectError(transcoder, err, c.timeout())
	}
	defer response.Body.Close()
	body, bodyErr := input.ReadAll(response.Body, maxAnswer)
	if response.StatusCode != http.StatusOK {
		err := notAccepted(transcoder, response, OneLine(string(body)))
		var unknown *UnknownOutcomeError
		if !errors.As(err, &unknown) {
			c.Headers.taken(transcoder, size)
		} else if unknown.TooLarge = isTooLarge(response.StatusCode, string(body)); unknown.TooLarge {
			c.Headers.tooLarge(transcoder, size)
		}
		return nil, err
	}
	// Any web server can answer 200: only a complete payment result is the recipient's.
	result := new(wire.PaymentResult)
	switch {
	case bodyErr != nil && !errors.As(bodyErr, new(*input.TooLongError)):
		bodyErr = networkError(bodyErr, reasonOf(bodyErr, c.timeout()))
	case bodyErr == nil && proto.Unmarshal(body, result) != nil:
		bodyErr = errors.New("the body cannot be decoded as PaymentResult")
	}
	if bodyErr == nil && result.GetInfo() == nil {
		bodyErr = errors.New("the body has no OrchestratorInfo")
	}
	if bodyErr != nil {
		return nil, &UnknownOutcomeError{URL: transcoder.String(), Err: fmt.Errorf("status 200 without an answer to the payment: %w", bodyErr)}
	}
	c.Headers.taken(transcoder, size)
	receipt = new(Receipt)
	receipt.Next, receipt.NextErr = c.offer(transcoder, sender, result.GetInfo())
	return receipt, nil
}

// DeliverBatch posts a batch with its segment header to the recipient at u, in as many deliveries
// as its header limit requires, one after the other. It returns how many tickets were accepted, and
// the last receipt, nil for a batch without tickets. If a proxy rejects a header as too large, it retries
// with fewer tickets. It returns the errors of Deliver, and before anything is sent those of
// wire.PaymentFor.
func (c *Client) DeliverBatch(ctx context.Context, u URL, batch *pm.TicketBatch, segment string) (receipt *Receipt, accepted int, err error) {
	if _, err := wire.PaymentFor(batch); err != nil {
		return nil, 0, err
	}
	rest, sent := batch.SenderParams, 0 // tickets of rest that were sent before
	for len(rest) > 0 {
		most, err := c.fit(u, batch, rest[len(rest)-1].SenderNonce, segment)
		if err != nil {
			return nil, accepted, err
		}
		part := *batch
		part.SenderParams = rest[:min(int(most), len(rest))]
		count := len(part.SenderParams)
		headers, err := headersOf(&part, segment)
		if err != nil {
			return nil, accepted, err
		}
		receipt, err = c.Deliver(ctx, u, batch.Sender, headers)
		var unknown *UnknownOutcomeError
		if errors.As(err, &unknown) && unknown.TooLarge {
			if smaller, fitErr := c.fit(u, batch, rest[len(rest)-1].SenderNonce, segment); fitErr == nil && int(smaller) < count {
				sent = max(sent, count)
				continue
			}
		}
		if err != nil && sent > 0 && unknown == nil {
			err = &UnknownOutcomeError{URL: u.String(), Err: err, Again: true}
		}
		if err != nil {
			return nil, accepted, err
		}
		rest, accepted, sent = rest[count:], accepted+count, max(0, sent-count)
	}
	return receipt, accepted, nil
}

// fit returns how many tickets fit in a delivery at u; see HeaderLimits.
func (c *Client) fit(u URL, shared *pm.TicketBatch, highest uint32, segment string) (uint32, error) {
	segment, err := c.withNeeds(segment)
	if err != nil {
		return 0, err
	}
	return c.Headers.fit(u, shared, highest, segment)
}

// withNeeds adds what is paid for to a segment header.
func (c *Client) withNeeds(segment string) (string, error) {
	needs, err := wire.Needs(c.Works)
	if err != nil {
		return "", err
	}
	return wire.WithNeeds(segment, needs)
}

// notAccepted returns the error for an answer without success: a refusal, or an unknown outcome if
// the answer may not be the recipient's.
func notAccepted(transcoder URL, response *http.Response, text string) error {
	status := response.StatusCode
	if saysBusy(text) || status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		// Recipients check this before any ticket, so the payment can be delivered later.
		return &UnknownOutcomeError{URL: transcoder.String(), Status: status, Busy: true, Err: fmt.Errorf("status %d: %s", status, text)}
	}
	if !isRefusal(status, response.Header.Get("Content-Type"), text) {
		return &UnknownOutcomeError{URL: transcoder.String(), Status: status, Err: fmt.Errorf("status %d, which is not the recipient's own answer: %s", status, text)}
	}
	return &RefusedError{
		URL:    transcoder.String(),
		Status: status,
		Text:   text,
		// By the protocol, tickets are checked after everything else.
		TicketsTaken: status == http.StatusBadRequest,
	}
}

// isRefusal reports whether an answer is the recipient's own refusal: one of the statuses of the
// protocol, with a reason in plain text. Any other answer is from a proxy, a firewall or another
// web server, which may have forwarded the payment.
func isRefusal(status int, contentType, text string) bool {
	switch status {
	case http.StatusBadRequest, http.StatusPaymentRequired, http.StatusForbidden, http.StatusInternalServerError:
		return strings.HasPrefix(contentType, "text/plain") && text != wordless && text != http.StatusText(status)
	}
	return false
}
