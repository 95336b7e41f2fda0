package remote

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/remote/identity"
)

// Texts of the protocol for statuses whose reason is the operator's alone: it is logged.
const (
	textInternal    = "Internal Server Error"
	textUnavailable = "Service Unavailable Error"
)

// orchestratorHeader names the orchestrator whose OrchestratorInfo must be fetched afresh.
const orchestratorHeader = "Livepeer-Orchestrator-URL"

// UnavailableError is a request that cannot be answered now, and changed nothing.
type UnavailableError struct {
	Err error

	// After is when to ask again; 0 is not known.
	After time.Duration
}

func (e *UnavailableError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *UnavailableError) Unwrap() error { return e.Err }

// BusyError is a client that asks more often than it may.
type BusyError struct {
	// After is when it may ask again.
	After time.Duration
}

func (e *BusyError) Error() string { return "too many requests" }

// answerTo returns the status and the message for an error.
func answerTo(err error) (status int, message string) {
	var refusal live.Refusal
	switch {
	case errors.As(err, new(*BusyError)):
		return http.StatusTooManyRequests, err.Error()
	case errors.As(err, new(*UnavailableError)), errors.As(err, new(*identity.KeysError)):
		return http.StatusServiceUnavailable, textUnavailable
	case errors.As(err, &refusal) && refusal.Status() != http.StatusInternalServerError:
		return refusal.Status(), refusal.Error()
	}
	return http.StatusInternalServerError, textInternal
}

// fail answers with an error.
func fail(rw http.ResponseWriter, r *http.Request, err error) {
	status, message := answerTo(err)
	var after time.Duration
	var busy *BusyError
	var unavailable *UnavailableError
	if errors.As(err, &busy) {
		after = busy.After
	} else if errors.As(err, &unavailable) {
		after = unavailable.After
	}
	if after > 0 {
		rw.Header().Set("Retry-After", strconv.FormatInt(int64((after-1)/time.Second)+1, 10))
	}
	if status == http.StatusUnauthorized {
		rw.Header().Set("WWW-Authenticate", "Bearer")
		if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			rw.Header().Set("Connection", "close") // which a newer certificate of the client's needs
		}
	}
	type text struct {
		Message string `json:"message"`
	}
	respond(rw, status, struct {
		Error text `json:"error"`
	}{text{message}})
}

// respond writes a JSON document.
func respond(rw http.ResponseWriter, status int, document any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	body, err := json.Marshal(document)
	if err != nil {
		status = http.StatusInternalServerError // a type without JSON
	}
	rw.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	rw.WriteHeader(status)
	_, _ = rw.Write(body) // an error is a client that is gone
	_, _ = io.WriteString(rw, "\n")
}
