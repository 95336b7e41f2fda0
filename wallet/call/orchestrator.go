package call

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// answerTimeout limits the orchestrator's own answers.
const answerTimeout = 15 * time.Second

// needsRefresh reports whether a payment failed that fresh ticket params would allow.
func needsRefresh(err error) bool {
	return live.NeedsRefresh(err) || errors.As(err, new(*wire.ExpiredTokenError)) || errors.Is(err, store.ErrRetired)
}

// post posts to the orchestrator at url, and returns its answer within a bound, or
// pay.ErrUnreachable or ctx's error. sent reports whether the request may have arrived.
func (c *Caller) post(ctx context.Context, bound time.Duration, origin pay.URL, url string, header http.Header, body []byte) (status int, answer []byte, sent bool, err error) {
	c.HTTP.CloseIdleConnections() // a kept connection may be dead, and then it is not known what arrived
	limited, cancel := context.WithTimeoutCause(ctx, bound, fmt.Errorf("no answer within %s", duration.Text(bound)))
	defer cancel()
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(limited, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	request, err := http.NewRequestWithContext(traced, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, false, fmt.Errorf("%w: %w", pay.ErrMalformed, err)
	}
	request.Header = header
	response, err := c.HTTP.Do(request)
	if err == nil {
		status = response.StatusCode
		answer, err = readOwn(response)
	}
	switch {
	case err == nil:
	case errors.As(err, new(*input.TooLongError)) && status != http.StatusOK: // of a refusal the beginning is shown
		err = nil
	case errors.As(err, new(*input.TooLongError)):
		err = fmt.Errorf("%w (%s): %w", pay.ErrMalformed, origin, err)
	default:
		err = failed(ctx, limited, origin, err)
	}
	return status, answer, connected.Load(), err
}

// deliver posts a payment of a session, and returns the orchestrator's answer; nil for a payment that
// it has from an earlier delivery.
func (h *held) deliver(ctx context.Context, p *Payment) ([]byte, error) {
	if err := h.Purse.Begin(ctx, p); err != nil {
		return nil, err
	}
	status, answer, sent, err := h.post(ctx, answerTimeout, p.Offer.URL, p.PaymentURL, p.Headers.HTTP(), nil)
	switch {
	case err != nil && sent:
		err = &pay.UnknownOutcomeError{URL: p.Offer.URL.String(), Err: err}
	case err == nil && status != http.StatusOK:
		err = h.notAccepted(p, status, answer)
	}
	if err != nil && h.counted && errors.Is(err, pm.ErrNonceReplayed) {
		return nil, nil
	}
	if err != nil {
		return nil, h.ended(ctx, p, err)
	}
	return answer, nil
}

// offered returns the challenge for the next payment that the answer to one has; nil for none. It
// fails with *pay.OtherRecipientError.
func (h *held) offered(p *Payment, answer []byte) (*Challenge, error) {
	result := new(wire.PaymentResult)
	if proto.Unmarshal(answer, result) != nil || result.GetInfo() == nil {
		return nil, nil // the payment was taken: fresh params are asked for when they are needed
	}
	encoded, err := proto.Marshal(result.GetInfo())
	if err != nil {
		return nil, nil
	}
	offer, err := pay.NewOffer(p.Offer.URL, h.Purse.Sender(), h.Now(), result.GetInfo())
	if err != nil {
		return nil, nil
	}
	next, err := p.renewed(offer, encoded)
	if errors.Is(err, pay.ErrMalformed) {
		return nil, nil
	}
	return next, err
}

// notAccepted is the error of an answer to a session's payment other than success.
func (h *held) notAccepted(p *Payment, status int, answer []byte) error {
	text, at := reason(answer), p.Offer.URL.String()
	refused := &pay.RefusedError{URL: at, Status: status, Text: text, TicketsTaken: status == http.StatusBadRequest}
	switch status {
	case http.StatusBadRequest, http.StatusPaymentRequired, http.StatusForbidden:
		return refused
	case http.StatusNotFound, http.StatusConflict, http.StatusGone:
		return &SessionLostError{p.ManifestID, refused}
	}
	return &pay.UnknownOutcomeError{URL: at, Status: status, Busy: status == http.StatusServiceUnavailable, Err: fmt.Errorf("status %d: %s", status, text)}
}

// refresh asks for fresh ticket params at the session's price.
func (h *held) refresh(ctx context.Context) (*Challenge, error) {
	origin := h.challenge.Offer.URL
	body, err := json.Marshal(struct {
		Sender     string `json:"sender"`
		ManifestID string `json:"manifest_id"`
	}{h.Purse.Sender().Hex(), h.challenge.ManifestID})
	if err != nil {
		return nil, err
	}
	status, answer, _, err := h.post(ctx, answerTimeout, origin, origin.String()+"/refresh-payment", http.Header{"Content-Type": {"application/json"}}, body)
	switch {
	case err != nil:
		return nil, err
	case status >= http.StatusInternalServerError: // as a proxy says while the orchestrator restarts
		why := fmt.Errorf("status %d: %s", status, reason(answer))
		return nil, pay.Silent(origin, why.Error(), why)
	case status != http.StatusOK:
		return nil, &SessionLostError{h.challenge.ManifestID, refusedTo("provide fresh ticket params", origin, status, answer)}
	}
	fresh, err := readChallenge(answer, origin, h.Purse.Sender(), h.Now())
	if err != nil {
		return nil, err
	}
	return h.challenge.renewed(fresh.Offer, fresh.Encoded)
}

// stop ends a session.
func (h *held) stop(ctx context.Context, s Session) error {
	if s.ControlURL == "" {
		return nil
	}
	origin := h.challenge.Offer.URL
	status, answer, _, err := h.post(ctx, stopTimeout, origin, s.ControlURL+"/stop", make(http.Header), nil)
	switch {
	case err != nil:
		return err
	case status/100 == 2, status == http.StatusNotFound, status == http.StatusConflict, status == http.StatusGone:
		return nil
	}
	return refusedTo("stop the session", origin, status, answer)
}

// refusedTo is an orchestrator's refusal of a request that has no payment. The error that it is without a
// status hints at nothing about payments.
func refusedTo(act string, origin pay.URL, status int, answer []byte) error {
	text := reason(answer)
	return hint.Kind(&pay.RefusedError{URL: origin.String(), Text: text}, fmt.Errorf("the orchestrator at %s did not %s (status %d): %s", origin, act, status, text))
}
