// Package delivery sends stored events to an operator's server: each at least once, and those of
// a queue in order.
package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/internal/transport"
)

const (
	// requestTimeout bounds one request to an endpoint.
	requestTimeout = 10 * time.Second

	// maxAnswer is how much of an answer is read, so that its connection can be used again.
	maxAnswer = 64 << 10

	mediaEvent = "application/cloudevents+json"
	mediaBatch = "application/cloudevents-batch+json"
)

// Endpoint is an HTTP server that takes CloudEvents: one in the structured mode, several in the
// batched mode. To a server that does not take batches each event is sent by itself.
type Endpoint struct {
	address string
	headers http.Header
	client  *http.Client
	single  atomic.Bool
}

// NewEndpoint returns the endpoint at a URL. Headers are sent with each request; they and the URL
// may have secrets in them, and are not shown.
func NewEndpoint(address string, headers http.Header) *Endpoint {
	kept := transport.New()
	kept.MaxIdleConnsPerHost = senders
	return &Endpoint{address: address, headers: headers, client: &http.Client{
		Transport: kept, Timeout: requestTimeout, CheckRedirect: transport.NoRedirect,
	}}
}

// StatusError is an answer that is not a success.
type StatusError struct {
	Code int

	// After is the time to wait that the server asks for; 0 for none.
	After time.Duration
}

func (e *StatusError) Error() string { return fmt.Sprintf("it answered with HTTP status %d", e.Code) }

// Permanent reports whether the server will refuse the same events again, unless it changes.
func (e *StatusError) Permanent() bool {
	switch e.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.Code < http.StatusInternalServerError
}

// send sends events in order. It returns how many of them the server has. The events of a batch that is
// refused are sent one by one: only one of them may be the reason.
func (e *Endpoint) send(ctx context.Context, events []Event) (int, error) {
	if len(events) > 1 && !e.single.Load() {
		err := e.post(ctx, mediaBatch, batch(events))
		if err == nil {
			return len(events), nil
		}
		var status *StatusError
		if !errors.As(err, &status) || !status.Permanent() {
			return 0, err
		}
		if status.Code == http.StatusUnsupportedMediaType {
			e.single.Store(true)
		}
	}
	for i, event := range events {
		if err := e.post(ctx, mediaEvent, event.Body); err != nil {
			return i, err
		}
	}
	return len(events), nil
}

// batch is a JSON array of events.
func batch(events []Event) []byte {
	bodies := make([][]byte, len(events))
	for i, event := range events {
		bodies[i] = event.Body
	}
	return append(append([]byte{'['}, bytes.Join(bodies, []byte{','})...), ']')
}

// Post sends one event, once. It fails with *StatusError, and the connection's errors without the
// URL.
func (e *Endpoint) Post(ctx context.Context, event []byte) error {
	return e.post(ctx, mediaEvent, event)
}

func (e *Endpoint) post(ctx context.Context, media string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.address, bytes.NewReader(body))
	if err != nil {
		return errors.New("its URL is not valid")
	}
	// Without a value it is not sent, and lets net/http repeat the request if the server has closed an idle connection.
	request.Header["Idempotency-Key"] = nil
	maps.Copy(request.Header, e.headers)
	request.Header.Set("Content-Type", media)
	response, err := e.client.Do(request)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		// net/http has two texts for it, and which one comes is random.
		return hint.Kind(context.DeadlineExceeded, fmt.Errorf("it did not answer within %v", duration.Text(e.client.Timeout)))
	case err != nil:
		return neterr.WithoutURL(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	if response.StatusCode/100 != 2 {
		return &StatusError{response.StatusCode, retryAfter(response.Header.Get("Retry-After"))}
	}
	return nil
}

// retryAfter is what a Retry-After header asks for, 0 for a date or none.
func retryAfter(text string) time.Duration {
	seconds, _ := strconv.ParseUint(text, 10, 32) // of a larger number the most that fits
	return time.Duration(seconds) * time.Second
}
