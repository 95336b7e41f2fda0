package pay

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/signer"
)

// testTimeout is generous where nothing is slow on purpose.
const testTimeout = 30 * time.Second

// orchestrator is a recipient's GetOrchestrator.
type orchestrator func(context.Context, *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error)

func (o orchestrator) GetOrchestrator(ctx context.Context, req *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
	return o(ctx, req)
}

// answering is an orchestrator that always says the same.
func answering(info *wire.OrchestratorInfo) orchestrator {
	return func(context.Context, *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) { return info, nil }
}

// serveGRPC serves GetOrchestrator over TLS with a self-signed certificate, or h2c.
func serveGRPC(t *testing.T, overTLS bool, o orchestrator) URL {
	t.Helper()
	server := grpc.NewServer()
	if o != nil {
		wire.RegisterOrchestratorServer(server, o)
	}
	t.Cleanup(server.Stop)
	return serve(t, overTLS, server)
}

// serve serves HTTP/1.1 and HTTP/2 on a port of its own.
func serve(t *testing.T, overTLS bool, handler http.Handler) URL {
	t.Helper()
	u, _ := serveMoody(t, overTLS, handler)
	return u
}

// moody is a listener that, while it is out, closes each connection before a handshake.
type moody struct {
	net.Listener
	out atomic.Bool
}

func (l *moody) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || !l.out.Load() {
			return conn, err
		}
		conn.Close()
	}
}

// serveMoody is serve with a listener that can be out.
func serveMoody(t *testing.T, overTLS bool, handler http.Handler) (URL, *moody) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	listener := &moody{Listener: server.Listener}
	server.Listener = listener
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server.Config.Protocols = protocols
	if overTLS {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return parse(t, server.URL), listener
}

// serveTCP gives each connection to talk.
func serveTCP(t *testing.T, scheme string, talk func(net.Conn)) URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go talk(conn)
		}
	}()
	return parse(t, scheme+"://"+listener.Addr().String())
}

// unused is a URL without a listener.
func unused(t *testing.T, scheme string) URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return parse(t, scheme+"://"+listener.Addr().String())
}

func parse(t *testing.T, text string) URL {
	t.Helper()
	u, err := ParseURL(text)
	require.NoError(t, err)
	return u
}

// me is a sender.
func me(t *testing.T) signer.Local {
	t.Helper()
	key, err := signer.RawKey([]byte(strings.Repeat("01", 32)))
	require.NoError(t, err)
	t.Cleanup(key.Close)
	return key
}

func signedRequest(t *testing.T) *wire.OrchestratorRequest {
	t.Helper()
	request, err := wire.NewOrchestratorRequest(me(t).Signer)
	require.NoError(t, err)
	return request
}

// goodInfo is an answer without fault: tickets of about 1000 gwei that win one time in
// four.
func goodInfo() *wire.OrchestratorInfo {
	return &wire.OrchestratorInfo{
		TicketParams: &wire.TicketParams{
			Recipient:         common.Address{0xaa}.Bytes(),
			FaceValue:         big.NewInt(4000e9).Bytes(),
			WinProb:           new(big.Int).Lsh(big.NewInt(1), 254).Bytes(),
			RecipientRandHash: common.Hash{1}.Bytes(),
			Seed:              []byte{7},
			ExpirationBlock:   []byte{140},
			ExpirationParams: &wire.TicketExpirationParams{
				CreationRound:          5,
				CreationRoundBlockHash: common.Hash{5}.Bytes(),
			},
		},
		PriceInfo:    &wire.PriceInfo{PricePerUnit: 1200, PixelsPerUnit: 1},
		Address:      common.Address{0xbb}.Bytes(),
		Capabilities: []byte{1, 2, 3},
		AuthToken:    &wire.AuthToken{Token: []byte{9}, SessionId: "session", Expiration: time.Now().Add(time.Hour).Unix()},
	}
}

// goodFacts is a chain on which the good answer's tickets may be made.
func goodFacts() pm.Facts {
	return pm.Facts{
		LastSeenL1Block:            big.NewInt(100),
		LastInitializedRound:       big.NewInt(5),
		LastInitializedL1BlockHash: common.Hash{5},
		Sender: &pm.SenderInfo{
			Deposit:       big.NewInt(1e18),
			WithdrawRound: new(big.Int),
			Reserve:       &pm.ReserveInfo{FundsRemaining: big.NewInt(1e18), ClaimedInCurrentRound: new(big.Int)},
		},
	}
}

// certificate is a self-signed one.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return server.TLS.Certificates[0]
}
