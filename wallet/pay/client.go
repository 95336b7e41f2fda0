package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

const (
	// DefaultTimeout is used if Client.Timeout is 0.
	DefaultTimeout = 15 * time.Second

	// maxAnswer limits an answer, in bytes. Only capabilities can be long: a few kilobytes.
	maxAnswer = 1 << 20

	userAgent = "pmctl"
)

// Client sends requests and payments to recipients. Its zero value is ready to use.
type Client struct {
	// Timeout limits each request, from the first packet to the last; 0 or less is DefaultTimeout.
	Timeout time.Duration

	// Now is the clock; nil is time.Now.
	Now func() time.Time

	// Works are what recipients are paid for, at their price; none for transcoding.
	Works []wire.Work

	// Headers are the header sizes that recipients accept, updated by each delivery; nil uses the
	// default.
	Headers *HeaderLimits

	// OnRequest, if set, is called after each request, from any goroutine that uses the client.
	OnRequest func(Request)
}

// Request is one request to a recipient, for tracing.
type Request struct {
	URL URL
	// Method is the gRPC method, or the HTTP method and path.
	Method string
	// Took is the time until the answer or the failure.
	Took time.Duration
	// Err is why the request failed; nil if it was answered.
	Err error
}

// began starts timing a request; call ended with its error.
func (c *Client) began(u URL, method string) (ended func(error)) {
	if c.OnRequest == nil {
		return func(error) {}
	}
	at := time.Now()
	return func(err error) { c.OnRequest(Request{u, method, time.Since(at), err}) }
}

func (c *Client) timeout() time.Duration {
	if c.Timeout <= 0 {
		return DefaultTimeout
	}
	return c.Timeout
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// Offer is a recipient's answer to a sender's request for ticket params.
type Offer struct {
	// URL is where the recipient was asked.
	URL URL

	// Transcoder is where it accepts payments.
	Transcoder URL

	// Sender is who asked; the params are valid for it alone.
	Sender common.Address

	// FetchedAt is when the answer came.
	FetchedAt time.Time

	// Params are the ticket params with their price. They are well-formed, but not checked
	// otherwise.
	Params *pm.TicketParams

	// Works are what the params are for; none for transcoding.
	Works []wire.Work

	// Info is the whole answer, including unknown fields.
	Info *wire.OrchestratorInfo
}

// Fetch asks the recipient at u for ticket params. The request is the sender's signed one, the same
// for every recipient; see wire.NewOrchestratorRequest. Works are added to it.
//
// It returns ErrUnreachable, ErrNotRecipient, *RefusedError with the recipient's text,
// ErrNoTicketParams, ErrMalformed, wire.ErrWork for one of Works that is none, or ctx's error. It does
// not check the params against any limits.
func (c *Client) Fetch(ctx context.Context, u URL, request *wire.OrchestratorRequest) (offer *Offer, err error) {
	ended := c.began(u, "GetOrchestrator")
	defer func() { ended(err) }()
	needs, err := wire.Needs(c.Works)
	if err != nil {
		return nil, err
	}
	if needs != nil {
		request = &wire.OrchestratorRequest{Address: request.GetAddress(), Sig: request.GetSig(), Capabilities: needs}
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	var dial dialing
	conn, err := dial.client(u, c.timeout())
	if err != nil {
		return nil, Silent(u, reasonOf(err, c.timeout()), err)
	}
	defer conn.Close()

	var header, trailer metadata.MD
	var server peer.Peer // of a connection on which HTTP/2 has begun
	info, err := wire.GetOrchestrator(limited, conn, request, grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&server))
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		err = c.fetchError(u, err, dial.failure(), server.Addr != nil, header, trailer)
		if errors.Is(err, ErrNotRecipient) && speaksTLS(limited, u) {
			err = fmt.Errorf("%w: what answers at %s does not speak gRPC without TLS; it speaks TLS: use %s", ErrNotRecipient, u, u.withScheme("https"))
		}
		return nil, err
	}
	return c.offer(u, common.BytesToAddress(request.GetAddress()), info)
}

func (c *Client) offer(u URL, sender common.Address, info *wire.OrchestratorInfo) (*Offer, error) {
	offer, err := NewOffer(u, sender, c.now(), info)
	if err == nil {
		offer.Works = c.Works
	}
	return offer, err
}

// fetchError explains why GetOrchestrator failed. Only an answer with gRPC's content type is the
// recipient's own. http2 reports whether the server has begun to speak it.
func (c *Client) fetchError(u URL, err, dialFailure error, http2 bool, header, trailer metadata.MD) error {
	const contentType = "content-type"
	began, ended := len(header.Get(contentType)) > 0, len(trailer.Get(contentType)) > 0
	code, text := status.Code(err), OneLine(status.Convert(err).Message())
	switch {
	case !began && !ended && dialFailure != nil && httpStatus(text) == "":
		return connectError(u, dialFailure, c.timeout())
	case !ended && isCutOff(text), !ended && u.TLS() && isUnsent(text):
		return Silent(u, cutOff, err)
	case code == codes.DeadlineExceeded && !ended:
		return Silent(u, fmt.Sprintf("no answer within %s", duration.Text(c.timeout())), context.DeadlineExceeded)
	case !began && !ended && http2 && code == codes.Unavailable:
		return Silent(u, unavailable(text), err)
	case !began && !ended:
		return fmt.Errorf("%w: what answers at %s does not speak gRPC%s", ErrNotRecipient, u, otherProtocol(text))
	case code == codes.Unavailable:
		// Recipients never answer so; proxies do for them.
		return Silent(u, fmt.Sprintf("a proxy answers instead of it: %q", text), err)
	case code == codes.Unimplemented:
		return fmt.Errorf("%w: the gRPC server at %s does not know GetOrchestrator", ErrNotRecipient, u)
	case began && code == codes.ResourceExhausted:
		return fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxAnswer)
	case began && code == codes.Internal:
		return fmt.Errorf("%w: it cannot be decoded as OrchestratorInfo", ErrMalformed)
	}
	return &RefusedError{URL: u.String(), Text: text}
}

// NewOffer decodes a recipient's answer to sender, which asked at u and got it at the given time.
// It returns ErrNoTicketParams and ErrMalformed.
func NewOffer(u URL, sender common.Address, at time.Time, info *wire.OrchestratorInfo) (*Offer, error) {
	params, err := info.Params()
	switch {
	case errors.As(err, new(*wire.MissingError)) && info.GetTicketParams() == nil:
		return nil, fmt.Errorf("%w (%s)", ErrNoTicketParams, u)
	case err != nil:
		return nil, fmt.Errorf("%w (%s): %w", ErrMalformed, u, err)
	case params.Recipient == (common.Address{}):
		return nil, fmt.Errorf("%w (%s): the ticket params pay the zero address", ErrMalformed, u)
	case len(info.GetAddress()) != 0 && len(info.GetAddress()) != common.AddressLength:
		return nil, fmt.Errorf("%w (%s): address: got %d bytes, want %d", ErrMalformed, u, len(info.GetAddress()), common.AddressLength)
	}
	transcoder, err := TranscoderOf(u, info.GetTranscoder())
	if err != nil {
		return nil, err
	}
	return &Offer{URL: u, Transcoder: transcoder, Sender: sender, FetchedAt: at, Params: params, Info: info}, nil
}
