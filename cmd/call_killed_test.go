package cmd

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

// callFront is a proxy before a recipient's runners, which calls upon before each POST is passed
// on and again before it is answered, and ends the connection where that returns false.
type callFront struct {
	behind, url string

	mu   sync.Mutex
	upon func() bool
}

func newCallFront(t *testing.T, behind string) *callFront {
	f := &callFront{behind: behind}
	server := httptest.NewUnstartedServer(f)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	f.url = server.URL
	return f
}

func (f *callFront) goesOn(r *http.Request) {
	f.mu.Lock()
	upon := f.upon
	f.mu.Unlock()
	if r.Method == http.MethodPost && upon != nil && !upon() {
		panic(http.ErrAbortHandler)
	}
}

func (f *callFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.goesOn(r)
	onward, err := http.NewRequest(r.Method, f.behind+r.URL.RequestURI(), r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	onward.Header = r.Header.Clone()
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(onward)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	f.goesOn(r)
	w.Header().Set("Content-Type", response.Header.Get("Content-Type"))
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(bytes.ReplaceAll(body, []byte(f.behind), []byte(f.url)))
}

// TestSoakKilledCalls kills calls with SIGKILL at each exchange with the orchestrator, before it
// has the request and when it has not answered. The same request ID then pays nothing twice, opens
// no second session, and stays within --max-cost.
func TestSoakKilledCalls(t *testing.T) {
	t.Parallel()
	const once, session = "/apps/fixed1/app/", "/apps/live1/session"
	for _, c := range []struct {
		path     string
		point    int
		code     int
		accepted uint64
	}{
		{once, 0, exitDone, 1}, {once, 1, exitDone, 1}, {once, 2, exitDone, 1}, {once, 3, exitNotMined, 1},
		{session, 2, exitDone, 0}, {session, 3, exitFailed, 5},
		{session, 4, exitDone, 0}, {session, 5, exitDone, 0}, {session, 6, exitDone, 0}, {session, 7, exitFailed, 0},
	} {
		t.Run(fmt.Sprintf("%s %d", c.path, c.point), func(t *testing.T) {
			t.Parallel()
			s := newShell(t, devnet.Config{Recipients: 1})
			s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
			state := s.net.Recipients()[0].State()
			front := newCallFront(t, state.URL)
			line := "call " + front.url + c.path + " -X POST --request-id job --max-cost 15000gwei --out "
			folder := t.TempDir()
			line, again := line+filepath.Join(folder, "answer"), line+filepath.Join(folder, "again")
			if c.path == session {
				line, again = line+" --for 6s", again+" --for 6s"
			}
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			ended, seen := make(chan struct{}), 0
			front.upon = func() bool {
				front.mu.Lock()
				at := seen
				seen++
				front.mu.Unlock()
				if at == c.point {
					kill()
					<-ended
				}
				return at < c.point
			}
			require.Equal(t, killed, s.launch(ctx, line).code)
			close(ended)
			front.mu.Lock()
			front.upon = nil
			front.mu.Unlock()

			end := s.launch(t.Context(), again)
			require.Equal(t, c.code, end.code, end.errs)
			response, err := http.Get(state.StatusURL)
			require.NoError(t, err)
			defer response.Body.Close()
			var status recipient.Status
			require.NoError(t, json.NewDecoder(response.Body).Decode(&status))
			booked := s.run(exitDone, "budget")["tickets"]
			require.Equal(t, fmt.Sprint(booked), fmt.Sprint(status.Tickets.Accepted), "each ticket that was signed has arrived, once")
			require.LessOrEqual(t, status.Tickets.Accepted, uint64(14))
			if c.accepted > 0 {
				require.Equal(t, c.accepted, status.Tickets.Accepted)
			}
			if c.path == session {
				require.Len(t, status.Sessions, 1)
				require.NotEqual(t, "open", string(status.Sessions[0].State))
			}
			require.False(t, strings.Contains(end.errs, "panic"))
		})
	}
}
