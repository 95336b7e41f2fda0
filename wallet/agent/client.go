package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
)

// Client sends requests to the agent at a socket.
type Client struct {
	path string
	http *http.Client

	// patience is how long the agent may take to answer about itself: that needs no node and no store.
	patience time.Duration
}

// NewClient returns a client for the socket at path. It connects on the first request.
func NewClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err != nil {
			return nil, err
		}
		// Another user's process might have taken the path and would learn what is asked.
		if err := checkPeer(conn); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
	return &Client{path: path, http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableCompression: true}}, patience: 10 * time.Second}
}

// Wrap has the requests of an unused client sent by wrap's transport, which is given the client's.
func (c *Client) Wrap(wrap func(http.RoundTripper) http.RoundTripper) {
	c.http.Transport = wrap(c.http.Transport)
}

// Close closes the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Path returns the socket's path.
func (c *Client) Path() string { return c.path }

// Status returns the agent's status. It returns ErrNoAgent, and ErrSilent as Lock and Stop do.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	return c.itself(ctx, http.MethodGet, pathStatus)
}

// Lock makes the agent overwrite its key.
func (c *Client) Lock(ctx context.Context) (*Status, error) {
	return c.itself(ctx, http.MethodPost, pathLock)
}

// Stop makes the agent overwrite its key, and end. An agent of another version ends too, although
// its answer is an OtherVersionError.
func (c *Client) Stop(ctx context.Context) (*Status, error) {
	return c.itself(ctx, http.MethodPost, pathStop)
}

// itself sends a request that concerns only the agent. The system accepts connections also for a
// process that is stopped.
func (c *Client) itself(ctx context.Context, method, path string) (*Status, error) {
	limited, cancel := context.WithTimeoutCause(ctx, c.patience, noAnswer(c.path, c.patience))
	defer cancel()
	return do[Status](limited, c, method, path, http.NoBody, kindStatus)
}

// facts returns the chain's facts about the agent's account and counterparties.
func (c *Client) facts(ctx context.Context, query url.Values, about []pm.Counterparty) (*factsDocument, error) {
	for _, counterparty := range about {
		query.Add("about", formatAbout(counterparty))
	}
	path := pathFacts
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return do[factsDocument](ctx, c, http.MethodGet, path, http.NoBody, kindFacts)
}

// Mined reports that one of the account's transactions was mined, so that the agent drops what it
// has cached about the account's funds.
func (c *Client) Mined(ctx context.Context, chainID uint64, sender common.Address, transaction common.Hash) error {
	report := &receipt{ChainID: format.Nat(chainID), Sender: format.Address(sender), Transaction: format.Hash(transaction)}
	_, err := post[Status](ctx, c, pathReceipt, kindReceipt, report, kindStatus)
	return err
}

// post sends a document of one kind, and returns the answer, of another.
func post[Out any](ctx context.Context, c *Client, path, in string, document any, out string) (*Out, error) {
	var body bytes.Buffer
	if err := format.Write(&body, in, document); err != nil {
		return nil, err
	}
	return do[Out](ctx, c, http.MethodPost, path, &body, out)
}

func do[Out any](ctx context.Context, c *Client, method, path string, body io.Reader, kind string) (*Out, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, c.refused(ctx, res)
	}
	text, err := input.ReadAll(res.Body, format.MaxSize)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	answer := new(Out)
	if err := format.Read(bytes.NewReader(text), kind, answer); err != nil {
		if version := new(format.VersionError); errors.As(err, &version) {
			return nil, &OtherVersionError{c.path, version}
		}
		return nil, fmt.Errorf("the agent at %s: %w", c.path, err)
	}
	return answer, nil
}

// refused returns the agent's error.
func (c *Client) refused(ctx context.Context, res *http.Response) error {
	text, err := input.ReadAll(res.Body, maxBody)
	if err != nil {
		return c.failed(ctx, err)
	}
	document := struct {
		Error format.Error `json:"error"`
	}{}
	if json.Unmarshal(text, &document) != nil || document.Error.Message == "" {
		return fmt.Errorf("the server at %s is not an agent: it answers with HTTP status %s", c.path, res.Status)
	}
	return &RemoteError{Status: res.StatusCode, Said: document.Error}
}

// failed distinguishes an agent that is not running from one that has ended.
func (c *Client) failed(ctx context.Context, err error) error {
	var dial *net.OpError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, new(*input.TooLongError)):
		return fmt.Errorf("the answer of the agent at %s: %w", c.path, err)
	case errors.Is(err, ErrPeer), errors.Is(err, ErrUnsupported):
		return fmt.Errorf("%s: %w", c.path, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &dial) && dial.Op == "dial":
		return fmt.Errorf("%w at %s", ErrNoAgent, c.path)
	}
	return fmt.Errorf("%w: %s", ErrGone, c.path)
}
