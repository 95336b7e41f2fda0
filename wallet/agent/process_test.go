//go:build linux || darwin

package agent

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/oneday"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// envServe has the test binary be an agent in a folder.
const envServe = "AGENT_TEST_SERVE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(envServe); dir != "" {
		if err := serveIn(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// unlimited are limits under which a session is as long as one likes.
func unlimited() policy.Limits {
	limits := policy.Default()
	limits.MaxEV, limits.MaxTotalEV, limits.NonceCap = nil, nil, 0
	return limits
}

func serveIn(dir string) error {
	c := config(new(testing.T), filepath.Join(dir, "store.db"), &chainAt{facts: goodFacts()})
	c.Limits = unlimited()
	service := New(c)
	socket, err := Listen(filepath.Join(dir, "s"))
	if err != nil {
		return err
	}
	defer socket.Close()
	fmt.Println("ready")
	ctx, stop := context.WithCancel(context.Background())
	go service.Run(ctx)
	return socket.Serve(ctx, Handler(service, describe, stop))
}

// TestKilledInTheMiddle: an agent that is killed while it signs leaves a correct ledger.
func TestKilledInTheMiddle(t *testing.T) {
	oneday.For(t, time.Minute)
	dir, err := os.MkdirTemp("", "agent")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chmod(dir, 0o700))
	start := func() *exec.Cmd {
		agent := exec.Command(os.Args[0])
		agent.Env = append(os.Environ(), envServe+"="+dir)
		agent.Stderr = os.Stderr
		out, err := agent.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, agent.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "ready\n", line)
		return agent
	}
	agent := start()
	ledger, err := store.Open(t.Context(), filepath.Join(dir, "store.db"))
	require.NoError(t, err)
	defer ledger.Close()
	w := &world{store: ledger, client: NewClient(filepath.Join(dir, "s")), clock: &testClock{}}
	s := w.signer(t)
	_, err = s.Facts(t.Context(), s.Address())
	require.NoError(t, err)

	const many = 50_000 // seconds of work
	failed := make(chan error, 1)
	go func() {
		_, err := s.reserve(context.Background(), ledger.ID(), store.Spend{Sender: s.Address(), Params: params(t, 1), Count: many})
		failed <- err
	}()
	for w.used(t, 1) == 0 {
		require.Empty(t, failed)
	}
	require.NoError(t, agent.Process.Kill())
	require.Error(t, agent.Wait())
	require.ErrorIs(t, <-failed, ErrGone)
	require.Equal(t, uint32(many), w.used(t, 1), "taken, and never given again")
	_, err = w.client.Status(t.Context())
	require.ErrorIs(t, err, ErrNoAgent)

	agent = start() // in place of the stale socket
	plan := func() (*pay.Tickets, error) {
		payer := w.payer(w.signer(t))
		payer.Limits, payer.Now = unlimited(), nil
		plan, err := payer.Plan(t.Context(), params(t, 1), pay.Amount{Count: 2})
		require.NoError(t, err)
		return payer.Reserve(t.Context(), plan)
	}
	tickets, err := plan()
	require.NoError(t, err)
	require.Equal(t, uint32(many+1), tickets.Nonces.First)
	spent, err := ledger.Chain(1337).Spending(t.Context(), s.Address(), time.Now())
	require.NoError(t, err)
	want := policy.Cost(many+2, params(t, 1).EV(), params(t, 1).FaceValue)
	require.Zero(t, want.FaceValue.Cmp(spent.All.FaceValue), "%v", spent)
	_, err = w.client.Stop(t.Context())
	require.NoError(t, err)
	require.NoError(t, agent.Wait(), "it ends in good order")
}

// TestWhatIsNoAgent: whatever answers at the socket, the client fails with a reason.
func TestWhatIsNoAgent(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"another program": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"no document":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") },
		"another version": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"kind":"pmctl.agent_status","version":2,"data":{}}`)
		},
		"another kind": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"kind":"pmctl.batch","version":2,"data":{}}`)
		},
		"cut off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		dir, err := os.MkdirTemp("", "agent")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "s")
		listener, err := net.Listen("unix", path)
		require.NoError(t, err)
		server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: answer}}
		server.Start()
		client := NewClient(path)
		_, err = client.Status(t.Context())
		require.ErrorContains(t, err, path, name)
		client.Close()
		server.Close()
	}
}

// TestHostileRequests: nothing of it panics, is signed, or takes a nonce.
func TestHostileRequests(t *testing.T) {
	w := begin(t, nil)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/", "", 404},
		{"GET", "/v2/status", "", 404},
		{"POST", pathTickets, "", 400},
		{"POST", pathTickets, "{", 400},
		{"POST", pathTickets, `{"kind":"pmctl.agent_ticket_order","version":1,"data":{}}`, 422},
		{"POST", pathTickets, `{"kind":"pmctl.batch","version":2,"data":{}}`, 422},
		{"POST", pathTickets, `{"kind":"pmctl.agent_ticket_order","version":2,"data":{"chain_id":"1337","store_id":"` + w.store.ID() + `"}}`, 422},
		{"POST", pathTickets, `{"kind":"pmctl.agent_ticket_order","version":2,"data":{"chain_id":"1337","store_id":"x","hash":"0x00"}}`, 400},
		{"POST", pathTickets, `{"kind":"` + string(make([]byte, maxBody)), 413},
		{"POST", pathTransaction, `{"kind":"pmctl.agent_transaction","version":2,"data":{"chain_id":"1337","sender":"0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1","transaction":"0x02"}}`, 400},
		{"GET", pathFacts + "?max_age=soon", "", 400},
		{"GET", pathFacts + "?max_age=-1s", "", 400},
	} {
		status, text := w.post(t, c.method, c.path, c.body)
		require.Equal(t, c.status, status, "%s %s %.80s: %s", c.method, c.path, c.body, text)
	}
	require.Zero(t, w.service.tickets.Load()+w.service.transactions.Load())
}

// FuzzHandler: whatever is sent to whichever path, the answer is a document, and only an
// order that is answered with tickets takes nonces.
func FuzzHandler(f *testing.F) {
	paths := []string{pathTickets, pathTransaction, pathRequest, pathCredentials, pathFacts}
	kinds := []string{kindOrder, kindTransaction, kindRequest, kindCredentials, kindFacts}
	conf := config(f, filepath.Join(f.TempDir(), "store.db"), &chainAt{facts: goodFacts()})
	defer conf.Store.Close()
	service := New(conf)
	handler := Handler(service, describe, func() {})
	document, err := (&Signer{status: service.Status()}).params(params(f, 1))
	require.NoError(f, err)
	good := mustJSON(f, order{ChainID: 1337, StoreID: conf.Store.ID(), Params: document, Count: 1,
		Round: &format.ExpirationParams{CreationRound: 5, CreationRoundBlockHash: format.Hash{5}}})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, pathTickets, strings.NewReader(`{"kind":"`+kindOrder+`","version":2,"data":`+good+`}`)))
	require.Equal(f, http.StatusOK, answer.Code, "the order to begin from is good: %s", answer.Body)
	f.Add(uint8(0), good, "")
	f.Add(uint8(1), `{"chain_id":"1337","sender":"0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1","transaction":"0x02c0"}`, "")
	f.Add(uint8(3), `{"sender":"0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1","auth_token":"CgEJ"}`, "")
	f.Add(uint8(4), "", "max_age=1h")
	f.Fuzz(func(t *testing.T, which uint8, data, query string) {
		i := int(which) % len(paths)
		method := http.MethodPost
		if paths[i] == pathFacts {
			method = http.MethodGet
		}
		for _, body := range []string{data, `{"kind":"` + kinds[i] + `","version":2,"data":` + data + `}`} {
			req := httptest.NewRequest(method, paths[i], strings.NewReader(body))
			req.URL.RawQuery = query
			before := service.tickets.Load()
			used, err := conf.Store.Chain(1337).UsedNonces(t.Context(), common.Hash{1})
			require.NoError(t, err)
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, req)
			now, err := conf.Store.Chain(1337).UsedNonces(t.Context(), common.Hash{1})
			require.NoError(t, err)
			if made := service.tickets.Load() - before; now-used > uint32(made) {
				t.Fatalf("%d nonces for %d tickets", now-used, made)
			}
			requireDocument(t, answer)
		}
	})
}
