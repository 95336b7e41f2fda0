package call

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/internal/transport"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// payerHeader names the account that will pay.
const payerHeader = "Livepeer-Payer-Address"

// ErrHeader is returned for a request that has a header of its payment, which the call sets.
var ErrHeader = hint.With(errors.New("the request has a header of its payment"), "leave the header out: the call creates the payment itself")

// ErrUpgrade is returned for a request that asks for another protocol, such as WebSocket's: a call sends
// one request, and passes on one answer.
var ErrUpgrade = hint.With(errors.New("the request asks for another protocol (Upgrade), which a call does not speak"),
	"if the app has sessions, open one at its URL that ends in /session, and let your client connect to PMCTL_APP_URL")

// ErrHead is returned for a HEAD request to an app that asks for payment.
var ErrHead = hint.With(errors.New("the app asks for payment, and an answer to HEAD cannot say how much"), "leave out -X HEAD")

// maxAnswer limits what is read of an orchestrator's own answers, in bytes.
const maxAnswer = 1 << 20

// Request is what is asked of an app. A call does not change it.
type Request struct {
	Target Target
	Method string
	// Header may have a name without values: not even the call's own is sent then.
	Header http.Header
	// Body is nil for none.
	Body *Body
}

// Digest identifies the request's method, URL and body. Headers are no part of it: a retry may need
// another Authorization, and refusing it would leave only another ID, which pays again.
func (r *Request) Digest() string {
	digest := r.Method + " " + r.Target.text()
	if r.Body != nil && r.Body.Repeats() {
		digest += " " + r.Body.digest()
	}
	return digest
}

// HTTPClient returns a client for calls: it accepts any certificate, as orchestrators' are
// self-signed, follows no redirect and changes no body.
func HTTPClient() *http.Client {
	const patience = 2 * time.Second // for an answer to a request's header, before its body is sent
	client := pay.HTTPClient()
	kept := client.Transport.(transport.Transport)
	kept.DisableKeepAlives, kept.DisableCompression, kept.ExpectContinueTimeout = false, true, patience
	kept.MaxIdleConnsPerHost = 2
	return client
}

// ask sends the request without a payment, on the connection of the list if it can. Its body waits for the
// orchestrator to want it. Of the answer, a challenge is read whole. An error has no more time than an answer
// that does not come.
func (c *Caller) ask(ctx context.Context, r *Request) (response *http.Response, err error) {
	limited, silence := limit(ctx, c.Timeout, r.Body != nil)
	defer func() {
		if response == nil || response.StatusCode < http.StatusBadRequest {
			silence.end()
		}
	}()
	request, err := r.http(limited)
	if err != nil {
		return nil, err
	}
	request.Header.Set(payerHeader, c.Purse.Sender().Hex())
	_, set := request.Header["Expect"]
	if r.Body != nil {
		request.Body = r.Body.reader(false)
		if !set {
			request.Header.Set("Expect", "100-continue")
		}
	}
	if c.Listing != nil {
		select {
		case <-c.Listing.sent:
		case <-limited.Done():
		}
	}
	response, err = c.HTTP.Do(request)
	if err == nil && response.StatusCode == http.StatusExpectationFailed && r.Body != nil && !set { // a server or a proxy that cannot wait
		response.Body.Close()
		plain := *r
		plain.Header = make(http.Header)
		maps.Copy(plain.Header, r.Header)
		plain.Header["Expect"] = nil
		return c.ask(ctx, &plain)
	}
	if err == nil && response.StatusCode == http.StatusPaymentRequired {
		var body []byte
		body, err = readOwn(response)
		response.Body = io.NopCloser(bytes.NewReader(body))
	}
	switch {
	case err == nil:
		response.Body = &awaited{response.Body, limited}
		return response, nil
	case errors.As(err, new(*input.TooLongError)):
		return nil, fmt.Errorf("%w (%s): %w", pay.ErrMalformed, r.Target.Origin, err)
	case limited.Err() == nil && errors.Is(err, ErrBodySent):
		return nil, ErrBodySent
	}
	return nil, failed(ctx, limited, r.Target.Origin, err)
}

// http is the request without its body's content.
func (r *Request) http(ctx context.Context) (*http.Request, error) {
	if r.Target.URL == nil {
		return nil, fmt.Errorf("%w: the request has none", ErrURL)
	}
	if r.Body != nil {
		if err := r.Body.check(); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, r.Target.URL.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURL, err)
	}
	request.Header = r.Header.Clone()
	if request.Header == nil {
		request.Header = make(http.Header)
	}
	for _, name := range []string{payerHeader, wire.PaymentHeader, wire.SegmentHeader} {
		if len(request.Header[name]) > 0 {
			return nil, fmt.Errorf("%w: %s", ErrHeader, name)
		}
	}
	if len(request.Header["Upgrade"]) > 0 {
		return nil, ErrUpgrade
	}
	if _, set := request.Header["User-Agent"]; !set {
		request.Header.Set("User-Agent", "pmctl")
	}
	if r.Body != nil {
		request.ContentLength = r.Body.Size
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
		request.Header.Del("Host")
	}
	return request, nil
}

// redirected reports whether an answer sends the request to another path of the same server, and
// has it go there.
func (r *Request) redirected(response *http.Response) bool {
	if response.StatusCode != http.StatusTemporaryRedirect && response.StatusCode != http.StatusPermanentRedirect {
		return false
	}
	to, err := response.Location()
	if err != nil || to.Scheme != r.Target.URL.Scheme || to.Host != r.Target.URL.Host {
		return false
	}
	r.Target.URL = to
	return true
}

// send sends the request with a payment, and records that. It returns the answer, or
// pay.ErrUnreachable if nothing was sent, *pay.RefusedError if the orchestrator refuses, and
// *pay.UnknownOutcomeError if it is not known whether it has the payment. An app's answer may take
// any time; own says that it is the orchestrator's, which is waited for as without a payment.
func (c *Caller) send(ctx context.Context, r *Request, p *Payment, own bool) (*http.Response, error) {
	if p.MovedTo != nil {
		r.Target.URL = p.MovedTo // a retry has not followed the redirect
	}
	request, err := r.http(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.Purse.Begin(ctx, p); err != nil {
		return nil, err
	}
	request.Header.Set(payerHeader, c.Purse.Sender().Hex())
	maps.Copy(request.Header, p.Headers.HTTP())
	if r.Body != nil {
		request.Body = r.Body.reader(true)
	}
	limited, silence := limit(ctx, c.Timeout, r.Body != nil)
	// Once there is a connection, the request may be on its way. With a second one, the HTTP client
	// has sent it again, since a kept connection broke.
	var connections atomic.Int32
	request = request.WithContext(httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			connections.Add(1)
			if !own {
				silence.end()
			}
		},
	}))
	response, err := c.HTTP.Do(request)
	if err != nil {
		silence.end()
		if err = failed(ctx, limited, r.Target.Origin, err); connections.Load() > 0 {
			err = &pay.UnknownOutcomeError{URL: r.Target.Origin.String(), Err: err}
		}
		return nil, c.ended(ctx, p, err)
	}
	response.Body = &awaited{response.Body, limited}
	err = refusal(r.Target.Origin, response)
	if refused, ok := errors.AsType[*pay.RefusedError](err); ok && connections.Load() > 1 {
		err = &pay.UnknownOutcomeError{URL: refused.URL, Err: refused, Status: refused.Status, Again: true}
	}
	return response, c.ended(ctx, p, err)
}

// ended records how the sending of a payment ended that was not answered with success; err is
// nil for one that was.
func (c *Caller) ended(ctx context.Context, p *Payment, err error) error {
	if err == nil {
		return nil
	}
	end, said := store.Reserved, "" // nothing was sent
	var unknown *pay.UnknownOutcomeError
	var refused *pay.RefusedError
	switch {
	case errors.As(err, &unknown):
		end = store.Sent
		if p.Record != nil {
			unknown.Request, unknown.Again = p.Record.ID, unknown.Again || p.Record.Deliveries > 1
		}
	case errors.As(err, &refused):
		end, said = store.Refused, refused.Text
	}
	noted := c.Purse.End(context.WithoutCancel(ctx), p, end, said)
	if refused != nil && p.Record != nil && p.Record.State != store.Refused { // they were delivered before, or by another process
		err = &pay.UnknownOutcomeError{URL: refused.URL, Err: refused, Status: refused.Status, Request: p.Record.ID, Again: true}
	}
	return errors.Join(err, noted)
}

// refusal returns the error of an orchestrator's own refusal of a payment; nil for an app's
// answer, whose body it leaves unread.
func refusal(origin pay.URL, response *http.Response) error {
	status := response.StatusCode
	switch status {
	case http.StatusPaymentRequired, http.StatusBadRequest, http.StatusForbidden, http.StatusServiceUnavailable:
	default:
		return nil
	}
	text, own := ownError(response)
	if !own || status == http.StatusServiceUnavailable && !saysFull(text) || (status == http.StatusBadRequest || status == http.StatusForbidden) && !saysPayment(text) {
		return nil
	}
	response.Body.Close()
	if status == http.StatusServiceUnavailable {
		return &pay.UnknownOutcomeError{URL: origin.String(), Status: status, Busy: true, Err: fmt.Errorf("status %d: %s", status, text)}
	}
	return &pay.RefusedError{URL: origin.String(), Status: status, Text: text, TicketsTaken: status == http.StatusBadRequest}
}

// unfunded returns the error of an orchestrator that makes no challenge for an account without a
// reserve; nil for any other answer, whose body it leaves unread.
func unfunded(origin pay.URL, response *http.Response) error {
	if response.StatusCode < http.StatusBadRequest {
		return nil
	}
	text, own := ownError(response)
	refused := &pay.RefusedError{URL: origin.String(), Status: response.StatusCode, Text: text}
	if !own || !errors.Is(refused, pm.ErrInsufficientSenderReserve) {
		return nil
	}
	response.Body.Close()
	return refused
}

// ownError returns the text of an answer in the form in which orchestrators write their errors: one
// line of plain text, or a document with an error's message or a challenge, of a stated length. It
// leaves the body unread.
func ownError(response *http.Response) (text string, own bool) {
	const most = 16 << 10
	length := response.ContentLength
	plain := response.Header.Get("Content-Type") == "text/plain; charset=utf-8"
	if length <= 0 || length > most || !plain && !isJSON(response) {
		return "", false
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, length))
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), response.Body), response.Body}
	if plain {
		return reason(body), bytes.IndexByte(body, '\n') == len(body)-1
	}
	var document map[string]json.RawMessage
	var message map[string]string
	if json.Unmarshal(body, &document) != nil {
		return "", false
	}
	if _, challenge := document["payment_params"]; challenge {
		return "it asks for a payment again, as of a request without one", true
	}
	failed := len(document) == 1 && json.Unmarshal(document["error"], &message) == nil && len(message) == 1 && message["message"] != ""
	return reason(body), failed
}

// saysPayment reports whether an orchestrator's error is about a payment or its credentials.
func saysPayment(text string) bool {
	return regexp.MustCompile(`(?i)ticket|payment|expected price|ErrSeg|segment cred|auth ?token|manifest|inactive in round|mismatched sender|sender|signature|insufficient balance`).MatchString(text)
}

// saysFull reports whether an orchestrator's error is about a runner that has no free place.
func saysFull(text string) bool {
	return regexp.MustCompile(`(?i)capac|full|busy|no .*available|unavailable`).MatchString(text)
}

// reason is the text of an orchestrator's error, which is JSON or plain.
func reason(body []byte) string {
	var said struct {
		Error struct{ Message string }
	}
	text := string(body)
	if json.Unmarshal(body, &said) == nil && said.Error.Message != "" {
		text = said.Error.Message
	}
	return pay.OneLine(text)
}

// readOwn reads an orchestrator's own answer, and closes it. A JSON document has an end of its own, also where
// a proxy with HTTP/2 keeps the answer open for the rest of the request; an answer over HTTP/1 is read whole, so
// that its connection serves the next request. It fails with *input.TooLongError for an answer
// that is too long, which it returns in part.
func readOwn(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	var read bytes.Buffer
	document := json.NewDecoder(io.TeeReader(io.LimitReader(response.Body, maxAnswer), &read))
	if response.ProtoMajor > 1 && isJSON(response) && document.Decode(new(json.RawMessage)) == nil {
		return read.Bytes(), nil
	}
	return input.ReadAll(io.MultiReader(&read, response.Body), maxAnswer)
}

// isJSON reports whether an answer is a JSON document.
func isJSON(response *http.Response) bool {
	return strings.HasPrefix(response.Header.Get("Content-Type"), "application/json")
}
