package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// Payments makes payments; *Payer is one.
type Payments interface {
	// Pay makes the payment that a request asks for, or the same as before for the same
	// request. It fails with a live.Refusal for what is not paid, with *UnavailableError
	// where the store or the chain cannot be asked, and with ctx's error.
	Pay(ctx context.Context, request *Request) (*Paid, error)
}

// Config is what a Server needs.
type Config struct {
	// Key signs for the account that pays.
	Key signer.Source

	// Payments makes payments.
	Payments Payments

	// Identify finds out who asks. It must be set: identity.Local lets in every
	// program on this machine.
	Identify identity.Identifier

	// Directory knows which orchestrators there are; nil offers no discovery.
	Directory Directory

	// Clients are those that may ask.
	Clients *store.Clients

	// Usage are the payments, of which each client may list its own.
	Usage *store.LiveUsage

	// Rates bounds how often each client may ask; nil is no bound. A server that replaces another gets
	// the same.
	Rates *Rates

	// Log gets a line for each request; nil is for none.
	Log *slog.Logger

	// Observe is called after each answer, from any goroutine; nil is for none.
	Observe func(Answered)

	// Now is the clock; nil is time.Now.
	Now func() time.Time

	// Patience is how long an answer may take; then it is 503. 0 is 25 seconds.
	Patience time.Duration
}

// Server answers the requests of gateways and SDKs.
type Server struct {
	Config
	clients *recognizer
	states  *states
	// own is the answer to those who ask for the account's address.
	own ownAddress
}

// ownAddress proves who pays: the signature is of the address, as a personal message.
type ownAddress struct {
	Address   string `json:"address"`
	Signature string `json:"signature"`
}

// ErrNoIdentifier is returned for a server that cannot tell who asks.
var ErrNoIdentifier = errors.New("the remote signer needs an Identifier: identity.Tokens, or identity.Local to let in every program on this machine")

// New returns a server. It signs the account's address once, and fails as the key does, and with
// ErrNoIdentifier.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.Identify == nil {
		return nil, ErrNoIdentifier
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Patience = cmp.Or(c.Patience, answerPatience)
	s := &Server{Config: c, clients: &recognizer{clients: c.Clients, now: c.Now, recent: make(map[store.Credential]recognized)}, states: &states{sender: c.Key.Address()}}
	address := c.Key.Address().Hex()
	signature, err := c.Key.Sign(ctx, wire.OrchestratorRequestMessage(c.Key.Address()))
	if err != nil {
		return nil, err
	}
	s.own = ownAddress{address, hexutil.Encode(signature)}
	return s, nil
}

// Handler answers the requests of the protocol.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /sign-orchestrator-info", s.answer(s.active(s.signInfo)))
	mux.Handle("POST /generate-live-payment", s.answer(s.pay))
	mux.Handle("GET /v1/usage", s.answer(s.listUsage))
	mux.Handle("POST /v1/usage/ack", s.answer(s.acknowledgeUsage))
	if s.Directory != nil {
		mux.Handle("GET /discover-orchestrators", s.answer(s.active(s.discover)))
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		handler, route := mux.Handler(r)
		if route == "" {
			s.misdirected(handler, rw, r)
			return
		}
		handler.ServeHTTP(rw, r)
	})
}

// misdirected logs a request that no route is for: its sender, such as a gateway whose URL has a path too many, sees
// no more than the status. It is not observed: its path can be any.
func (s *Server) misdirected(refuse http.Handler, rw http.ResponseWriter, r *http.Request) {
	entry := &Answered{At: s.Now(), RequestID: requestID(r), Method: r.Method, Path: words.Cut(r.URL.Path, maxPath), Err: errNoRoute}
	rw.Header().Set(requestIDHeader, entry.RequestID)
	out := &recorder{rw, http.StatusOK}
	refuse.ServeHTTP(out, r)
	entry.Status, entry.Took = out.status, s.Now().Sub(entry.At)
	entry.log(r.Context(), s.Log)
}

var errNoRoute = errors.New("the signer has no such method and path")

// maxPath bounds the path of a request that no route is for, in characters.
const maxPath = 200

// Caller is a client that sent a request.
type Caller struct {
	// Client is nil for a caller that needs no credentials.
	Client *store.Client

	// Credential is what the client was recognized by.
	Credential store.Credential

	// Subject is a user of the client's, "" where it named none.
	Subject string
}

// AuthID is what usage records and auth webhooks call the caller: client:subject.
func (c Caller) AuthID() string {
	if c.Client == nil {
		return ""
	}
	return c.authID(c.Client.Name)
}

// auth is whose sessions the caller may continue. go-livepeer's signer has the name of a proxy for it.
func (c Caller) auth() live.Auth {
	auth := live.Auth{ID: c.AuthID()}
	if identity.Kind(c.Credential.Kind) == identity.KindProxy {
		auth.Alias = c.authID(c.Credential.Value)
	}
	return auth
}

func (c Caller) authID(client string) string {
	if c.Subject == "" {
		return client
	}
	return client + ":" + c.Subject
}

// noClient is the refusal of a credential that is no client's.
func noClient(c store.Credential) error {
	switch identity.Kind(c.Kind) {
	case identity.KindCertificate:
		return live.Refuse(http.StatusUnauthorized, "no client has a certificate with the common name %.100q", c.Value)
	case identity.KindJWT:
		return live.Refuse(http.StatusUnauthorized, "the JSON Web Token is of %.100q, which is no client", c.Value)
	case identity.KindProxy:
		return live.Refuse(http.StatusUnauthorized, "no client has the auth ID %.100q", c.Value)
	}
	return live.Refuse(http.StatusUnauthorized, "no client has this token")
}

// clientID is the client's, "" for none.
func (c Caller) clientID() string {
	if c.Client == nil {
		return ""
	}
	return c.Client.ID
}

// recorder keeps the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// answer identifies the caller, bounds its rate, has a request answered and logs that.
func (s *Server) answer(with func(http.ResponseWriter, *http.Request, *Answered) error) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), s.Patience)
		defer cancel()
		r = r.WithContext(ctx)
		entry := &Answered{At: s.Now(), RequestID: requestID(r), Method: r.Method, Path: r.URL.Path}
		rw.Header().Set(requestIDHeader, entry.RequestID)
		out := &recorder{rw, http.StatusOK}
		if entry.Err = s.admit(r, entry); entry.Err == nil {
			entry.Err = with(out, r, entry)
		}
		if errors.Is(entry.Err, context.DeadlineExceeded) && ctx.Err() != nil {
			entry.Err = fmt.Errorf("no answer within %v: %w", duration.Text(s.Patience), entry.Err)
		}
		if entry.Err != nil {
			fail(out, r, entry.Err)
		}
		entry.Status, entry.Took = out.status, s.Now().Sub(entry.At)
		entry.log(r.Context(), s.Log)
		if s.Observe != nil {
			s.Observe(*entry)
		}
	})
}

// admit identifies the caller and bounds its rate.
func (s *Server) admit(r *http.Request, entry *Answered) error {
	if err := checkHeaders(r.Header, "Authorization", idempotencyKeyHeader); err != nil {
		return err
	}
	said, err := s.Identify.Identify(r)
	if err != nil {
		return err
	}
	if said.Kind == identity.KindNone {
		return s.Rates.admitAddress(r.RemoteAddr)
	}
	credential := store.Credential{Kind: string(said.Kind), Value: said.Value}
	client, err := s.clients.client(r.Context(), credential)
	switch {
	case errors.Is(err, store.ErrNoClient):
		return noClient(credential)
	case err != nil:
		return &UnavailableError{Err: err}
	}
	entry.Caller = Caller{client, credential, said.Subject}
	return s.Rates.admitClient(client.ID)
}

// active refuses a client that was revoked or has expired. A payment is refused by what records it.
func (s *Server) active(then func(http.ResponseWriter, *http.Request, *Answered) error) func(http.ResponseWriter, *http.Request, *Answered) error {
	return func(rw http.ResponseWriter, r *http.Request, entry *Answered) error {
		if client := entry.Caller.Client; client != nil {
			if err := client.CheckActive(s.Now()); err != nil {
				return err
			}
		}
		return then(rw, r, entry)
	}
}

const (
	requestIDHeader      = "X-Request-Id"
	idempotencyKeyHeader = "Idempotency-Key"
)

// requestID is the client's own id for the request, if it is fit for a log, or a new one.
func requestID(r *http.Request) string {
	const most = 64
	id := r.Header.Get(requestIDHeader)
	if id == "" || len(id) > most {
		return rand.Text()
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' || c == '"' {
			return rand.Text()
		}
	}
	return id
}

func (s *Server) signInfo(rw http.ResponseWriter, _ *http.Request, _ *Answered) error {
	respond(rw, http.StatusOK, s.own)
	return nil
}

func (s *Server) pay(rw http.ResponseWriter, r *http.Request, entry *Answered) error {
	body, err := read(rw, r)
	if err != nil {
		return err
	}
	offer, err := body.open(s.states)
	if err != nil {
		return err
	}
	entry.Recipient = &offer.params.Recipient
	entry.Paid, err = s.Payments.Pay(r.Context(), &Request{
		offer: offer, ID: entry.RequestID, Caller: entry.Caller, Key: r.Header.Get(idempotencyKeyHeader), Headers: r.Header,
	})
	if err != nil {
		if status, _ := answerTo(err); status == live.StatusRefresh {
			rw.Header().Set(orchestratorHeader, offer.info.Transcoder)
		}
		return err
	}
	s.states.add(entry.Paid.State)
	respond(rw, http.StatusOK, entry.Paid.Answer)
	return nil
}
