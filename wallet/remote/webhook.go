package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/internal/transport"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store"
)

// Webhook asks an operator's own server whether a payment may be made. It speaks the deployed
// signer's contract.
type Webhook struct {
	// URL is the server's. It may have a secret in it, and is not shown.
	URL string

	// Headers are sent with each request, beside Content-Type.
	Headers http.Header

	// Client sends the requests, and follows no redirect; nil is a client of its own.
	Client *http.Client

	made  sync.Once
	sends http.Client // made of Client
}

const (
	// webhookPatience is how long a webhook may take, as the deployed signer has it.
	webhookPatience = 5 * time.Second

	maxWebhookAnswer = 64 << 10
)

// Permission is what a webhook that allows a payment says of it.
type Permission struct {
	// ID is whose session it is; "" leaves that open. Expiry is the time, in unix seconds,
	// until which the session needs no other permission; 0 is always.
	live.Auth

	// MaxPrice is a ceiling of the price; nil is none.
	MaxPrice *live.MaxPrice
}

// noAnswer is the error of a webhook that gave no answer to go by. The payment is not made.
func noAnswer(why error) error { return fmt.Errorf("auth webhook: %w", why) }

// Ask asks whether the session may go on as state says, for a request with these headers. It
// fails with the webhook's own live.Refusal, or with why it gave none.
func (w *Webhook) Ask(ctx context.Context, headers http.Header, state json.RawMessage) (*Permission, error) {
	ctx, cancel := context.WithTimeout(ctx, webhookPatience)
	defer cancel()
	body, err := json.Marshal(struct {
		Headers http.Header     `json:"headers"`
		State   json.RawMessage `json:"state"`
	}{headers, state})
	if err != nil {
		return nil, noAnswer(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return nil, noAnswer(errors.New("its URL is not valid"))
	}
	// Without a value it is not sent, and lets net/http repeat the request if the server has closed an idle connection.
	req.Header[idempotencyKeyHeader] = nil
	maps.Copy(req.Header, w.Headers)
	req.Header.Set("Content-Type", "application/json")
	res, err := w.client().Do(req)
	if err != nil {
		return nil, noAnswer(inTime(ctx, neterr.WithoutURL(err)))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, noAnswer(fmt.Errorf("it answered with HTTP status %d", res.StatusCode))
	}
	var answer struct {
		Status   int            `json:"status"`
		Reason   string         `json:"reason"`
		Expiry   int64          `json:"expiry"`
		AuthID   string         `json:"auth_id"`
		MaxPrice *live.MaxPrice `json:"maxPrice"`
	}
	text, err := input.ReadAll(res.Body, maxWebhookAnswer)
	if err != nil {
		return nil, noAnswer(inTime(ctx, fmt.Errorf("its answer cannot be read: %w", err)))
	}
	if json.NewDecoder(bytes.NewReader(text)).Decode(&answer) != nil {
		return nil, noAnswer(errors.New("its answer is not JSON, or has a field of another type"))
	}
	if err := store.CheckText("auth_id", answer.AuthID); err != nil {
		return nil, noAnswer(errors.New(err.Error())) // its status is for texts of clients
	}
	switch {
	case answer.Status == http.StatusOK:
	case answer.Status < http.StatusBadRequest || answer.Status > 599: // to the client it would be no refusal
		return nil, noAnswer(fmt.Errorf("it answered with status %d, which neither allows (200) nor refuses (400 to 599)", answer.Status))
	case answer.Reason == "":
		return nil, live.Refuse(answer.Status, "signer auth rejected request with status %d", answer.Status)
	default:
		return nil, live.Refuse(answer.Status, "%s", answer.Reason)
	}
	return &Permission{Auth: live.Auth{ID: answer.AuthID, Expiry: answer.Expiry}, MaxPrice: answer.MaxPrice}, nil
}

func (w *Webhook) client() *http.Client {
	w.made.Do(func() {
		w.sends.Transport = transport.New()
		if w.Client != nil {
			w.sends = *w.Client
		}
		// What a redirect leads to was not asked: it would get no state, and could answer anything.
		w.sends.CheckRedirect = transport.NoRedirect
	})
	return &w.sends
}

// inTime is why a webhook gave no answer, and for how long it was waited for if that timed out.
func inTime(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v: %w", duration.Text(webhookPatience), err)
	}
	return err
}

// Ceiling is the permission's ceiling for a payment of a type, and false where it has none.
func (p *Permission) Ceiling(t live.Type) (live.Ceiling, bool, error) {
	if p.MaxPrice == nil {
		return live.Ceiling{}, false, nil
	}
	c, err := p.MaxPrice.Ceiling(t, live.Webhook)
	if err != nil {
		return c, false, live.Refuse(http.StatusBadGateway, "signer auth invalid maxPrice: %w", err)
	}
	return c, true, nil
}
