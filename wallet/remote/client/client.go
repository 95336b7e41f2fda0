// Package client asks a remote signer for signed payments: the other side of package remote. It
// serves programs on machines without a key.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/internal/transport"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
)

const (
	// timeout is the most that a request may take, as the network's gateways do.
	timeout = time.Minute

	maxAnswer = 1 << 20
)

// Client is a client of one remote signer, and of one session that it pays. It is not safe for
// concurrent use.
type Client struct {
	url   string
	token string
	http  *http.Client

	// state is what the signer's last answer carried.
	state live.State
}

var (
	// ErrURL is returned for text that is not a signer's URL.
	ErrURL = errors.New("not the URL of a remote signer; write it as https://host:8935")

	// ErrPlainToken is returned for a token that others could read on its way.
	ErrPlainToken = hint.With(errors.New("the signer's token would be sent without TLS to a host that is not on a local network"), "use the signer's https:// URL")

	// ErrToken is returned for a token that no HTTP header can carry.
	ErrToken = errors.New("the signer's token has characters that an HTTP header cannot have")

	// ErrAnswer is returned for an answer that violates the protocol. It wraps the reason.
	ErrAnswer = errors.New("the remote signer's answer is malformed")

	// ErrUnreachable is returned if no answer came about. *UnreachableError wraps it.
	ErrUnreachable = errors.New("the remote signer cannot be reached")

	// ErrBusy is matched by the *StatusError of a signer, or of a proxy before it, that may answer a
	// moment later.
	ErrBusy = errors.New("the remote signer cannot answer now")
)

// New returns a client of the signer at a URL. token is the client's; "" sends none. It fails with
// ErrURL, ErrToken and ErrPlainToken.
func New(text, token string) (*Client, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, ErrURL // the text may have a password in it
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, ErrToken
	}
	if token != "" && u.Scheme == "http" && !isLocal(u.Hostname()) {
		return nil, ErrPlainToken
	}
	return &Client{
		url: strings.TrimSuffix(u.String(), "/"), token: token,
		http: &http.Client{Transport: transport.New(), Timeout: timeout, CheckRedirect: transport.NoRedirect},
	}, nil
}

// Wrap has the requests of an unused client sent by wrap's transport, which is given the client's.
func (c *Client) Wrap(wrap func(http.RoundTripper) http.RoundTripper) {
	c.http.Transport = wrap(c.http.Transport)
}

// Within has an unused client give up on a request after that time, if it is less than the minute that a
// request may take at most; 0 changes nothing.
func (c *Client) Within(bound time.Duration) {
	if bound > 0 {
		c.http.Timeout = min(bound, timeout)
	}
}

// URL is the signer's.
func (c *Client) URL() string { return c.url }

// isLocal reports whether a host is on this machine or on its own network.
func isLocal(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host == "localhost" || !strings.Contains(host, ".")
	}
	return address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast()
}

// UnreachableError is returned if the signer cannot be reached.
type UnreachableError struct {
	// URL is the signer's.
	URL string
	// Reason describes the failure.
	Reason string
	// Err is the network's error.
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%v at %s: %s", ErrUnreachable, e.URL, e.Reason)
}

// Hint says what can be done.
func (*UnreachableError) Hint() string {
	return "check the URL of --signer, and ask the signer's operator whether it runs"
}

func (e *UnreachableError) Unwrap() []error { return []error{ErrUnreachable, e.Err} }

// StatusError is a request that the signer refused.
type StatusError struct {
	// Status is the HTTP status, or one of package live; Message is what the signer said.
	Status  int
	Message string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("the remote signer refuses the request (status %d): %.300q", e.Status, e.Message)
}

// Hint says what can be done.
func (e *StatusError) Hint() string {
	switch {
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return "check the token (--signer-token-file or PMCTL_SIGNER_TOKEN), and ask the signer's operator for this client's terms"
	case errors.Is(e, ErrBusy):
		return "try again later"
	case e.Status >= http.StatusInternalServerError:
		return "the signer's log has the reason: ask its operator"
	}
	return "the signer sets this limit: ask its operator"
}

// Unwrap returns live.ErrRefresh, live.ErrNoTickets and ErrBusy for their statuses.
func (e *StatusError) Unwrap() error {
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return ErrBusy
	case live.StatusRefresh:
		return live.ErrRefresh
	case live.StatusNoTickets:
		return live.ErrNoTickets
	}
	return nil
}

// Sender returns the account that the signer pays from, which must have signed its address. It
// fails with ErrAnswer, ErrUnreachable, *StatusError and ctx's error.
func (c *Client) Sender(ctx context.Context) (common.Address, error) {
	var answer struct{ Address, Signature string }
	if err := c.post(ctx, "/sign-orchestrator-info", nil, struct{}{}, &answer); err != nil {
		return common.Address{}, err
	}
	address := common.HexToAddress(answer.Address)
	sig, err := hexutil.Decode("0x" + strings.TrimPrefix(answer.Signature, "0x"))
	if err != nil || !common.IsHexAddress(answer.Address) || !new(pm.DefaultSigVerifier).Verify(address, wire.OrchestratorRequestMessage(address), sig) {
		return common.Address{}, fmt.Errorf("%w: its signature does not prove its address", ErrAnswer)
	}
	return address, nil
}

// Request asks for one payment of a session.
type Request struct {
	// Orchestrator is the encoded OrchestratorInfo.
	Orchestrator []byte `json:"orchestrator"`

	ManifestID string         `json:"ManifestID"`
	App        string         `json:"app,omitempty"`
	Type       live.Type      `json:"type"`
	MaxPrice   *live.MaxPrice `json:"maxPrice,omitempty"`

	// Key makes a retry of the first request safe; "" for none.
	Key string `json:"-"`
}

// Pay returns the next payment of the session that the client pays. It fails with *StatusError,
// which wraps live.ErrRefresh if fresh ticket params are needed and live.ErrNoTickets if nothing
// is due yet; and with ErrAnswer, ErrUnreachable and ctx's error. After ErrUnreachable and ErrBusy
// the signer may have signed: the same request then gets that payment.
func (c *Client) Pay(ctx context.Context, r Request) (*live.Answer, error) {
	header := make(http.Header)
	if r.Key != "" && c.state.IsZero() {
		header.Set("Idempotency-Key", r.Key)
	}
	answer := new(live.Answer)
	err := c.post(ctx, "/generate-live-payment", header, struct {
		Request
		State live.State `json:"state,omitzero"`
	}{r, c.state}, answer)
	switch {
	case err != nil:
		return nil, err
	case len(answer.Payment) == 0 || len(answer.SegCreds) == 0 || answer.State.IsZero():
		return nil, fmt.Errorf("%w: it has no payment, credentials or state", ErrAnswer)
	}
	c.state = answer.State
	return answer, nil
}

func (c *Client) post(ctx context.Context, path string, header http.Header, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if header == nil {
		header = make(http.Header)
	}
	header.Set("Content-Type", "application/json")
	said, _, err := c.ask(ctx, http.MethodPost, path, header, bytes.NewReader(text), maxAnswer)
	if err != nil {
		return err
	}
	if json.Unmarshal(said, answer) != nil {
		return fmt.Errorf("%w: it is not JSON, or has a field of another type", ErrAnswer)
	}
	return nil
}

// Get returns the signer's answer at a path, of at most so many bytes, and its headers. It fails
// with ErrAnswer, ErrUnreachable, *StatusError and ctx's error.
func (c *Client) Get(ctx context.Context, path string, most int64) ([]byte, http.Header, error) {
	return c.ask(ctx, http.MethodGet, path, make(http.Header), nil, most)
}

func (c *Client) ask(ctx context.Context, method, path string, header http.Header, body io.Reader, most int64) ([]byte, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, nil, ErrURL
	}
	request.Header = header
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, c.unreachable(ctx, err)
	}
	defer response.Body.Close()
	said, err := input.ReadAll(response.Body, most)
	tooLong := errors.As(err, new(*input.TooLongError))
	switch {
	case err != nil && !tooLong:
		return nil, nil, c.unreachable(ctx, err)
	case response.StatusCode != http.StatusOK:
		var refused struct{ Error struct{ Message string } }
		if json.Unmarshal(said, &refused) != nil || refused.Error.Message == "" {
			refused.Error.Message = http.StatusText(response.StatusCode)
		}
		return nil, nil, &StatusError{response.StatusCode, refused.Error.Message}
	case tooLong:
		return nil, nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return said, response.Header, nil
}

// unreachable is the error of a request without an answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err = neterr.WithoutURL(err)
	reason := neterr.Reason(err)
	var network net.Error
	switch {
	case errors.As(err, &network) && network.Timeout():
		reason = fmt.Sprintf("no answer within %s", duration.Text(c.http.Timeout))
	case reason == "":
		reason = err.Error()
	}
	return &UnreachableError{URL: c.url, Reason: reason, Err: err}
}
