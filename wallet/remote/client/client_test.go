package client

import (
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
