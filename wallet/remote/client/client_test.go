package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMalformedAnswers are explained in words of ours, without Go's types.
func TestMalformedAnswers(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, answer) }))
	defer server.Close()
	signer, err := New(server.URL, "")
	require.NoError(t, err)
	for _, answer = range []string{"", "null", "{", "[]", "<html>", `{"address":5}`, `{"address":"0x12","signature":"0x34"}`, strings.Repeat(" ", maxAnswer+1)} {
		_, err := signer.Sender(t.Context())
		require.ErrorIs(t, err, ErrAnswer, answer)
		require.NotRegexp(t, "json|struct|Go value", err.Error())
	}
}

// TestHintsOfRefusals: a server that cannot answer, and a failure, are no limits of the signer's.
func TestHintsOfRefusals(t *testing.T) {
	for status, hint := range map[int]string{
		400: "the signer sets this limit", 401: "check the token", 429: "try again later", 483: "the signer sets this limit",
		500: "the signer's log has the reason", 502: "try again later", 503: "try again later", 504: "try again later",
	} {
		err := &StatusError{Status: status}
		require.Contains(t, err.Hint(), hint, status)
		require.Equal(t, hint == "try again later", errors.Is(err, ErrBusy), status)
	}
}
