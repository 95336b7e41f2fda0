package pay

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
)

// Receipt is a recipient's answer to a payment that it has accepted.
type Receipt struct {
	// Next are the fresh params that the session goes on with; nil when the answer has
	// none that can be used.
	Next *Offer

	// NextErr is why Next is nil. The payment was accepted all the same.
	NextErr error
}

// Deliver posts a sender's payment to the recipient at transcoder, once. Redirects are
// not followed.
//
// It fails with *UnreachableError when nothing was sent; with *RefusedError when the
// recipient says no; with *UnknownOutcomeError when the payment was sent, in full or
// in part, and no answer came, which includes the end of ctx.
func (c *Client) Deliver(ctx context.Context, transcoder URL, sender common.Address, headers Headers) (*Receipt, error) {
	limited, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	// From the moment there is a connection the request may be on its way.
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

	client := c.http()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	switch {
	case err != nil && connected.Load():
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, &UnknownOutcomeError{URL: transcoder.String(), Err: err}
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, connectError(transcoder, err, c.timeout())
	}
	defer response.Body.Close()
	// The status alone decides; an answer that breaks off later changes nothing.
	body, bodyErr := readAll(response.Body)
	if response.StatusCode != http.StatusOK {
		return nil, &RefusedError{
			URL:    transcoder.String(),
			Status: response.StatusCode,
			Text:   oneLine(string(body)),
			// The recipient looks at tickets only after everything else.
			TicketsTaken: response.StatusCode == http.StatusBadRequest,
		}
	}
	if bodyErr != nil {
		return &Receipt{NextErr: bodyErr}, nil
	}
	receipt := new(Receipt)
	receipt.Next, receipt.NextErr = c.next(transcoder, sender, body)
	return receipt, nil
}

// next reads the fresh params in the answer to a payment.
func (c *Client) next(transcoder URL, sender common.Address, body []byte) (*Offer, error) {
	result := new(wire.PaymentResult)
	if err := proto.Unmarshal(body, result); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return NewOffer(transcoder, sender, c.now(), result.GetInfo())
}

// http returns a client for one request: a connection that is kept could be found dead
// by the next payment, whose outcome would then be unknown.
func (c *Client) http() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:   tlsConfig("h2", "http/1.1"),
			ForceAttemptHTTP2: true,
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// readAll reads an answer of at most maxAnswer bytes. It returns what there is also
// when it fails.
func readAll(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err == nil && len(data) > maxAnswer {
		err = fmt.Errorf("%w: it is longer than %d bytes", ErrMalformed, maxAnswer)
	}
	return data, err
}
