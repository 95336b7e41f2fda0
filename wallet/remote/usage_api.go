package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/store"
)

// How many events one answer has.
const (
	usageLimit    = 100
	maxUsageLimit = 1000
)

// usagePage is the answer to a client that asks for its usage.
type usagePage struct {
	Events []json.RawMessage `json:"events"`

	// Next is what the next request passes as after.
	Next string `json:"next"`

	// Acknowledged is the last event that the client has acknowledged; "0" is none.
	Acknowledged string `json:"acknowledged"`
}

// errUserUsage is a request by a client's user for the usage of the whole client.
var errUserUsage = live.Refuse(http.StatusForbidden, "usage is for the client itself; these credentials are of a user of it")

// usageClient is the client whose usage a caller may read and acknowledge.
func (s *Server) usageClient(r *http.Request, entry *Answered) (*store.Client, error) {
	caller := entry.Caller
	if caller.Client == nil {
		return nil, identity.ErrNoCredentials
	}
	if caller.Subject != "" {
		return nil, errUserUsage
	}
	client, err := s.Clients.With(r.Context(), caller.Credential, s.Now()) // as it is now
	switch {
	case errors.Is(err, store.ErrNoClient):
		return nil, noClient(caller.Credential)
	case err != nil:
		return nil, &UnavailableError{Err: err}
	case !client.RevokedAt.IsZero():
		return nil, live.Refuse(http.StatusUnauthorized, "client %q was revoked", client.Name)
	}
	return client, nil
}

// listUsage answers a client with its events after one, or after what it has acknowledged.
func (s *Server) listUsage(rw http.ResponseWriter, r *http.Request, entry *Answered) error {
	client, err := s.usageClient(r, entry)
	if err != nil {
		return err
	}
	acknowledged, err := s.Usage.Acknowledged(r.Context(), store.ConsumerClient, client.ID)
	if err != nil {
		return &UnavailableError{Err: err}
	}
	query, err := queryOf(r, "after", "limit")
	if err != nil {
		return err
	}
	after, limit := acknowledged, int64(usageLimit)
	if query.Has("after") {
		if after, err = eventID("after", query.Get("after")); err != nil {
			return err
		}
	}
	if query.Has("limit") {
		if limit, err = strconv.ParseInt(query.Get("limit"), 10, 64); err != nil || limit < 1 || limit > maxUsageLimit {
			return live.Refuse(http.StatusBadRequest, "limit %q is not a number from 1 to %d", query.Get("limit"), maxUsageLimit)
		}
	}
	payments, err := s.Usage.OfClient(r.Context(), client.ID, after, int(limit))
	if err != nil {
		return &UnavailableError{Err: err}
	}
	if len(payments) == 0 && after > acknowledged {
		newest, err := s.Usage.Newest(r.Context(), client.ID)
		if err != nil {
			return &UnavailableError{Err: err}
		}
		if after > newest { // as after the loss of records, when a client would wait for events that it has skipped
			return afterLast("after", query.Get("after"))
		}
	}
	page := usagePage{Events: make([]json.RawMessage, len(payments)), Acknowledged: fmt.Sprint(acknowledged)}
	for i, payment := range payments {
		page.Events[i], after = payment.Usage, payment.Position
	}
	page.Next = fmt.Sprint(after)
	respond(rw, http.StatusOK, page)
	return nil
}

// acknowledgeUsage notes that a client has its events up to one.
func (s *Server) acknowledgeUsage(rw http.ResponseWriter, r *http.Request, entry *Answered) error {
	client, err := s.usageClient(r, entry)
	if err != nil {
		return err
	}
	var body struct{ ID string }
	if err := decode(rw, r, &body); err != nil {
		return err
	}
	id, err := eventID("id", body.ID)
	if err != nil {
		return err
	}
	switch err := s.Usage.Acknowledge(r.Context(), store.ConsumerClient, client.ID, id); {
	case errors.Is(err, store.ErrNoPayment):
		return afterLast("id", body.ID)
	case err != nil:
		return &UnavailableError{Err: err}
	}
	acknowledged, err := s.Usage.Acknowledged(r.Context(), store.ConsumerClient, client.ID)
	if err != nil {
		return &UnavailableError{Err: err}
	}
	respond(rw, http.StatusOK, struct {
		Acknowledged string `json:"acknowledged"`
	}{fmt.Sprint(acknowledged)})
	return nil
}

// afterLast refuses an event's ID that the client has no event at, or after.
func afterLast(name, text string) error {
	return live.Refuse(http.StatusBadRequest, "%s %q is after the client's last event", name, text)
}

// eventID reads an event's ID, or 0 for the one before the first.
func eventID(name, text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0, live.Refuse(http.StatusBadRequest, "%s %q is not the ID of an event", name, text)
	}
	return id, nil
}
