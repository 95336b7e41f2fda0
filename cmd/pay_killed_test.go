package cmd

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

// payFront is a proxy before a local network's recipient, which names the proxy as its own
// address, as deployed recipients do.
type payFront struct {
	behind string
	conn   *grpc.ClientConn
	grpc   *grpc.Server
	url    string

	// upon, unless it is nil, is called before each payment is passed on and again before it
	// is answered. It ends the connection where it returns false.
	upon func(passedOn bool) bool
}

func newPayFront(t *testing.T, behind string) *payFront {
	t.Helper()
	insecure := &tls.Config{InsecureSkipVerify: true}
	conn, err := grpc.NewClient(strings.TrimPrefix(behind, "https://"), grpc.WithTransportCredentials(credentials.NewTLS(insecure)))
	require.NoError(t, err)
	f := &payFront{behind: behind, conn: conn, grpc: grpc.NewServer()}
	wire.RegisterOrchestratorServer(f.grpc, f)
	server := httptest.NewUnstartedServer(f)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		f.grpc.Stop()
		conn.Close()
	})
	f.url = server.URL
	return f
}

// GetOrchestrator implements wire.OrchestratorServer.
func (f *payFront) GetOrchestrator(ctx context.Context, request *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
	info, err := wire.GetOrchestrator(ctx, f.conn, request)
	if err == nil {
		info.Transcoder = f.url
	}
	return info, err
}

// ServeHTTP implements http.Handler.
func (f *payFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		f.grpc.ServeHTTP(w, r)
		return
	}
	if f.upon != nil && !f.upon(false) {
		panic(http.ErrAbortHandler)
	}
	status, body, err := f.pass(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if f.upon != nil && !f.upon(true) {
		panic(http.ErrAbortHandler)
	}
	if status != http.StatusOK {
		w.Header().Set("Content-Type", "text/plain")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// pass passes a payment on.
func (f *payFront) pass(r *http.Request) (status int, body []byte, err error) {
	onward, err := http.NewRequest(http.MethodPost, f.behind+r.URL.Path, nil)
	if err != nil {
		return 0, nil, err
	}
	onward.Header = r.Header.Clone()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	response, err := client.Do(onward)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	result := new(wire.PaymentResult)
	if err != nil || response.StatusCode != http.StatusOK {
		return response.StatusCode, body, err
	}
	if err = proto.Unmarshal(body, result); err == nil {
		result.Info.Transcoder = f.url
		body, err = proto.Marshal(result)
	}
	return response.StatusCode, body, err
}

// TestKilledBetweenParts kills a payment in parts with SIGKILL at each of its deliveries,
// before the recipient has it and when it was taken and not yet answered. The same request
// id pays exactly the rest, and says so where only the recipient can know what it credited.
func TestKilledBetweenParts(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	state := s.net.Recipients()[0].State()
	front := newPayFront(t, state.URL)
	accepted := func() (n uint64) {
		response, err := http.Get(state.StatusURL)
		require.NoError(t, err)
		defer response.Body.Close()
		var status recipient.Status
		require.NoError(t, json.NewDecoder(response.Body).Decode(&status))
		for _, sender := range status.Senders {
			n += uint64(sender.Accepted)
		}
		return n
	}
	for name, c := range map[string]struct {
		tickets uint64
		flags   string
	}{
		"by what a header takes": {150, ""},
		"by what params take":    {1300, " --max-header 200000"},
	} {
		for delivery := range 3 {
			for _, taken := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, delivery %d, taken %v", name, delivery+1, taken), func(t *testing.T) {
					s.env["XDG_CACHE_HOME"] = t.TempDir() // where it is remembered what the recipient has taken
					before, posts := accepted(), 0
					line := fmt.Sprintf("pay %s --value %d000gwei --max-total-ev 1eth --request-id %d-%d-%v --output json%s", front.url, c.tickets, c.tickets, delivery, taken, c.flags)
					ctx, kill := context.WithCancel(t.Context())
					defer kill()
					ended := make(chan struct{})
					front.upon = func(passedOn bool) bool {
						if posts == delivery && passedOn == taken {
							kill()
							<-ended
							return false
						}
						if passedOn {
							posts++
						}
						return true
					}
					require.Equal(t, killed, s.launch(ctx, line).code)
					close(ended)
					front.upon = nil

					end := s.launch(t.Context(), line)
					require.Equal(t, c.tickets, accepted()-before, "%d: %s", end.code, end.errs)
					if taken {
						require.Equal(t, exitNotMined, end.code, end.errs)
						require.Contains(t, end.errs, "the first delivery probably arrived")
					} else {
						require.Equal(t, exitDone, end.code, end.errs)
						var document struct{ Data paidDocument }
						require.NoError(t, json.Unmarshal([]byte(end.out), &document))
						require.Equal(t, c.tickets, document.Data.Tickets)
						require.Len(t, document.Data.Parts, 3)
					}
					again := s.launch(t.Context(), line)
					require.Equal(t, end.code, again.code, again.errs)
					require.Equal(t, c.tickets, accepted()-before, "nothing is paid twice")
				})
			}
		}
	}
}
