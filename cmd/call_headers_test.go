package cmd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestHeadersAsCurl leaves out what -H NAME: names, and sends an empty NAME; and a body without bytes has a
// length.
func TestHeadersAsCurl(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	app := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q %q %q %q %q %d", r.Header["User-Agent"], r.Header["Content-Type"], r.Header["X-Empty"], r.Header["Expect"], r.TransferEncoding, r.ContentLength)
	}))
	defer app.Close()
	url := "call " + app.URL + "/apps/x/app "
	for line, sent := range map[string]string{
		"--data=": `["pmctl"] ["application/x-www-form-urlencoded"] [] [] [] 0`,
		"--data-binary= -H user-agent: -H content-type: -H Accept: -H x-empty;": `[] [] [""] [] [] 0`,
		"-d a -H X-Empty; -H Expect: -H User-Agent: -H User-Agent:b":            `["b"] ["application/x-www-form-urlencoded"] [""] [] [] 1`,
		"-d a": `["pmctl"] ["application/x-www-form-urlencoded"] [] ["100-continue"] [] 1`,
	} {
		end := s.launch(t.Context(), url+line)
		require.Equal(t, sent, end.out, end.errs)
	}
}
