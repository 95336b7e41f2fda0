package cmd

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd/pmctl-documented/documents"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// endingWriter cancels once it has been written to often enough.
type endingWriter struct {
	bytes.Buffer
	left   int
	cancel context.CancelFunc
}

func (w *endingWriter) Write(p []byte) (int, error) {
	if w.left--; w.left == 0 {
		w.cancel()
	}
	return w.Buffer.Write(p)
}

// TestWatch has a status watched until it is interrupted, through a node that is away at
// the second look.
func TestWatch(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	state := filepath.Join(home, "devnet.json")
	d, err := devnet.Start(t.Context(), devnet.Config{StatePath: state, Accounts: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	node, err := url.Parse(d.RPCURL())
	require.NoError(t, err)
	forward := httputil.NewSingleHostReverseProxy(node)
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const secondLook = 3 // after two requests for the first
		if asked.Add(1) == secondLook {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)

	columns, rows := "", 0
	watch := func(terminal bool, term string, args ...string) (string, string, int) {
		looks := 3 // one of them fails, and only in a pipe is that on stdout
		if terminal {
			looks = 2
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		asked.Store(0)
		out := &endingWriter{left: looks, cancel: cancel}
		var stderr bytes.Buffer
		env := &Env{In: strings.NewReader(""), Out: out, Err: &stderr, OutTerminal: terminal, ErrTerminal: terminal, OutSize: func() (int, int) { return 0, rows }, Now: time.Now, Getenv: func(name string) string {
			return map[string]string{"COLUMNS": columns, "XDG_STATE_HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": t.TempDir(), "TERM": term}[name]
		}}
		code := Main(ctx, append([]string{"status", d.Accounts()[0].Address.Hex(), "--watch", "--interval", "1s",
			"--controller", d.Controller().Hex(), "--chain-id", "1337", "--rpc-url", proxy.URL}, args...), env)
		return out.String(), stderr.String(), code
	}

	// In a pipe each look is a line of JSON, also one that fails.
	out, stderr, code := watch(false, "")
	require.Equal(t, exitCancelled, code)
	require.NoError(t, documents.Conform([]byte(out), true, ""))
	require.Equal(t, 3, strings.Count(out, "\n"))
	require.Equal(t, 2, strings.Count(out, `{"kind":"pmctl.status","version":2,`))
	require.Contains(t, out, `{"kind":"pmctl.error","version":2,`)
	require.Equal(t, 1, strings.Count(out, "HTTP status 403"))
	require.Equal(t, 1, strings.Count(stderr, "\n"), stderr) // the interruption

	// On a terminal each is in the place of the one before, where it can be.
	out, _, code = watch(true, "xterm")
	require.Equal(t, exitCancelled, code)
	require.Equal(t, 2, strings.Count(out, "\x1b[H\x1b[2J\x1b[2mstatus\x1b[0m "))
	require.Contains(t, out, "again in 1s; press Ctrl-C to stop")
	rows = 8
	out, _, _ = watch(true, "xterm")
	for _, screen := range strings.Split(out, "\x1b[H\x1b[2J")[1:] {
		require.Equal(t, rows, strings.Count(screen, "\n")+1, screen)
		require.True(t, strings.HasPrefix(screen, "\x1b[2mstatus"))
		require.Regexp(t, `\n… \d+ more lines, in a terminal with more rows\n\nas of .*; press Ctrl-C to stop\n\n`, screen)
	}
	rows = 100
	out, _, _ = watch(true, "xterm")
	require.NotContains(t, out, "more lines")
	columns, rows = "30", 0
	out, _, _ = watch(true, "xterm")
	require.Contains(t, out, "Z,\nagain in 1s; press Ctrl-C to\nstop\n\n")
	columns = ""
	out, _, _ = watch(true, "dumb")
	require.NotContains(t, out, "\x1b")
	require.Equal(t, 2, strings.Count(out, "account "))

	// Quiet is quiet about it, in a table.
	_, stderr, code = watch(false, "", "--quiet", "-o", "table")
	require.Equal(t, exitCancelled, code)
	require.NotContains(t, stderr, "HTTP status 403")

	// What fails at the first look fails.
	_, _, code = watch(false, "", "--rpc-url", "http://127.0.0.1:1")
	require.Equal(t, exitUnreachable, code)
}
