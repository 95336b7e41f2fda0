package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
)

// Describe returns an error's document for clients, with its code, exit status and hint.
type Describe func(error) format.Error

// Handler serves a service over HTTP. The transport decides who may send requests, the service what
// is signed. stop is called when a client stops the agent. Both functions may be nil: errors are then
// described by their text alone, and a stopped agent only locks its key.
func Handler(s *Service, describe Describe, stop func()) http.Handler {
	if describe == nil {
		describe = func(err error) format.Error { return format.Error{Message: err.Error()} }
	}
	if stop == nil {
		stop = func() {}
	}
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
		s.Lock("a command locked it")
		return kindStatus, s.Status(), nil
	})
	on("POST "+pathStop, func(*http.Request) (string, any, error) {
		s.Lock("it is stopping")
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

// serve reads a document, passes it to f, and answers with f's result.
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
	_, _ = w.Write(body.Bytes()) // the client may have gone
}

// facts answers with the chain's facts about the account, at most ?max_age old; with ?renew=true,
// from a read that begins now. Each ?about=ADDRESS:ROUND adds a counterparty.
func (h *handler) facts(r *http.Request) (string, any, error) {
	query, atMost := r.URL.Query(), time.Duration(0)
	if text := query.Get("max_age"); text != "" {
		var err error
		if atMost, err = duration.Parse(text); err != nil || atMost <= 0 {
			return "", nil, fmt.Errorf("%w: max_age %.40q is not a duration such as 30s", format.ErrSyntax, text)
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

// errNoPath is returned for requests that the protocol does not have.
var errNoPath = errors.New("the agent runs another version of pmctl, whose protocol has no such request")

// refuse answers with an error. The HTTP status is for people with curl; clients use the code.
func (h *handler) refuse(w http.ResponseWriter, err error) {
	if errors.Is(err, keystore.ErrClosed) { // it was locked after it took the request
		err = fmt.Errorf("%w: %w", ErrLocked, err)
	}
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
