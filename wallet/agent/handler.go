package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
)

// Describe tells what an error is to a client: its code, exit status and hint.
type Describe func(error) format.Error

// Handler serves a service over HTTP. Who may ask is the transport's to decide; what is
// signed is the service's. Stop is called when a client ends the agent.
func Handler(s *Service, describe Describe, stop func()) http.Handler {
	h := &handler{s, describe}
	mux := http.NewServeMux()
	on := func(pattern string, serve func(*http.Request) (string, any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			h.answer(w, r, serve)
		})
	}
	on("GET "+pathStatus, func(*http.Request) (string, any, error) { return kindStatus, s.Status(), nil })
	on("GET "+pathFacts, h.facts)
	on("POST "+pathRequest, serve(kindRequest, kindRequest, s.request))
	on("POST "+pathCredentials, serve(kindCredentials, kindHeader, s.credentials))
	on("POST "+pathTickets, serve(kindOrder, kindTickets, s.make))
	on("POST "+pathTransaction, serve(kindTransaction, kindTransaction, s.signTransaction))
	on("POST "+pathReceipt, serve(kindReceipt, kindStatus, s.mined))
	on("POST "+pathLock, func(*http.Request) (string, any, error) {
		s.Lock("it was told to")
		return kindStatus, s.Status(), nil
	})
	on("POST "+pathStop, func(*http.Request) (string, any, error) {
		s.Lock("it ends")
		status := s.Status()
		stop()
		return kindStatus, status, nil
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.refuse(w, fmt.Errorf("%w: %s %.80q", errNoPath, r.Method, r.URL.Path))
	})
	return mux
}

type handler struct {
	service  *Service
	describe Describe
}

// serve reads a document, hands it to f, and answers with what f returns.
func serve[In, Out any](in, out string, f func(context.Context, *In) (*Out, error)) func(*http.Request) (string, any, error) {
	return func(r *http.Request) (string, any, error) {
		document := new(In)
		if err := format.Read(r.Body, in, document); err != nil {
			return "", nil, err
		}
		answer, err := f(r.Context(), document)
		return out, answer, err
	}
}

// answer writes what serve returns: a document, or an error.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, serve func(*http.Request) (string, any, error)) {
	kind, document, err := serve(r)
	if err != nil {
		h.service.refused.Add(1)
		h.refuse(w, err)
		return
	}
	var body bytes.Buffer
	if err := format.Write(&body, kind, document); err != nil {
		h.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body.Bytes()) // a client that has gone is no matter of the agent's
}

// facts answers with what the chain says of the account, not older than ?max_age; with
// ?renew=true with what a look says that begins now. Each ?about=ADDRESS:ROUND asks about a
// counterparty.
func (h *handler) facts(r *http.Request) (string, any, error) {
	query, atMost := r.URL.Query(), time.Duration(0)
	if text := query.Get("max_age"); text != "" {
		var err error
		if atMost, err = time.ParseDuration(text); err != nil || atMost <= 0 {
			return "", nil, fmt.Errorf("%w: max_age %.40q is not a time such as 30s", format.ErrSyntax, text)
		}
	}
	about, err := parseAbout(query["about"])
	if err != nil {
		return "", nil, err
	}
	var said pm.Facts
	var age time.Duration
	switch text := query.Get("renew"); text {
	case "":
		said, age, err = h.service.facts.Get(r.Context(), h.service.within(atMost), about)
	case "true":
		said, age, err = h.service.facts.Renew(r.Context(), about)
	default:
		err = fmt.Errorf("%w: renew %.40q is not true", format.ErrSyntax, text)
	}
	if err != nil {
		return "", nil, err
	}
	document, err := newFacts(said, age, about)
	return kindFacts, document, err
}

// errNoPath is returned for what the protocol does not have.
var errNoPath = errors.New("the agent's protocol has no such request: it is of another version")

// refuse answers with an error. The status is for people with curl; clients go by the
// code.
func (h *handler) refuse(w http.ResponseWriter, err error) {
	described := h.describe(err)
	status := http.StatusUnprocessableEntity
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errNoPath):
		status = http.StatusNotFound
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrLocked):
		status, described.Code = http.StatusLocked, "agent_locked"
	case errors.Is(err, ErrMismatch):
		status = http.StatusConflict
	case errors.Is(err, format.ErrSyntax), errors.Is(err, format.ErrTruncated):
		status = http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = format.WriteError(w, described)
}
