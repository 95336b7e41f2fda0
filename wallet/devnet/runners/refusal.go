package runners

import (
	"encoding/json"
	"errors"
	"net/http"
)

// Refusal is why a request is refused, and the HTTP status that says so.
type Refusal struct {
	Status int
	Err    error
}

func (e *Refusal) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *Refusal) Unwrap() error { return e.Err }

// refuse returns a Refusal with a text.
func refuse(status int, text string) error { return &Refusal{status, errors.New(text)} }

// ErrDropped ends a request without an answer.
var ErrDropped = errors.New("connection dropped")

// Answer writes an error: a Refusal as text with its status, ErrDropped by closing the
// connection, and any other as a failure of the server.
func Answer(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrDropped) {
		panic(http.ErrAbortHandler) // the server's own way to drop a connection
	}
	status := http.StatusInternalServerError
	var refused *Refusal
	if errors.As(err, &refused) {
		status = refused.Status
	}
	http.Error(w, err.Error(), status)
}

// answerJSON writes a document.
func answerJSON(w http.ResponseWriter, status int, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		Answer(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// answerError writes an error as the deployed node does where its clients read JSON.
func answerError(w http.ResponseWriter, status int, text string) {
	type message struct {
		Message string `json:"message"`
	}
	answerJSON(w, status, map[string]message{"error": {text}})
}
