package wire

import (
	"context"
	"net"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
)

// orchestrator answers with answer, or fails with err.
type orchestrator struct {
	answer *OrchestratorInfo
	err    error
	asked  *OrchestratorRequest
}

func (o *orchestrator) GetOrchestrator(_ context.Context, req *OrchestratorRequest) (*OrchestratorInfo, error) {
	o.asked = req
	return o.answer, o.err
}

// serve runs a server with o until the test ends and returns a connection to it.
func serve(t *testing.T, o *orchestrator, opts ...grpc.ServerOption) *grpc.ClientConn {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(opts...)
	RegisterOrchestratorServer(server, o)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		server.Stop()
		require.NoError(t, <-served)
	})
	return conn
}

func TestGetOrchestrator(t *testing.T) {
	g := loadGolden(t)
	o := &orchestrator{answer: &OrchestratorInfo{
		Transcoder:   "https://127.0.0.1:8935",
		TicketParams: validParams(),
		Capabilities: []byte{0xff, 0, 1},
	}}
	unknown := protowire.AppendBytes(protowire.AppendTag(nil, 32, protowire.BytesType), []byte("storage"))
	o.answer.ProtoReflect().SetUnknown(unknown)
	req, err := NewOrchestratorRequest(testSigner{g.OrchestratorRequest.PrivateKey})
	require.NoError(t, err)

	info, err := GetOrchestrator(t.Context(), serve(t, o), req)
	require.NoError(t, err)
	require.True(t, proto.Equal(o.answer, info))
	require.Equal(t, unknown, []byte(info.ProtoReflect().GetUnknown()))
	require.Equal(t, g.OrchestratorRequest.Address, common.BytesToAddress(o.asked.GetAddress()))
	require.True(t, new(pm.DefaultSigVerifier).Verify(g.OrchestratorRequest.Address, OrchestratorRequestMessage(g.OrchestratorRequest.Address), o.asked.GetSig()))
}

func TestGetOrchestratorFails(t *testing.T) {
	o := &orchestrator{err: status.Error(codes.Internal, "insufficient sender reserve")}
	info, err := GetOrchestrator(t.Context(), serve(t, o), &OrchestratorRequest{})
	require.Nil(t, info)
	require.Equal(t, codes.Internal, status.Code(err))
	require.ErrorContains(t, err, "insufficient sender reserve")
}

// TestMethodIsTheNetworks checks the path that the server sees, and that interceptors see the
// call.
func TestMethodIsTheNetworks(t *testing.T) {
	var method string
	conn := serve(t, &orchestrator{answer: &OrchestratorInfo{Transcoder: "x"}}, grpc.UnaryInterceptor(
		func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			method = info.FullMethod
			return handler(ctx, req)
		}))
	info, err := GetOrchestrator(t.Context(), conn, &OrchestratorRequest{})
	require.NoError(t, err)
	require.Equal(t, "x", info.GetTranscoder())
	require.Equal(t, "/net.Orchestrator/GetOrchestrator", method)
}

// TestRequestThatIsNoMessage sends bytes that are not a message.
func TestRequestThatIsNoMessage(t *testing.T) {
	o := &orchestrator{answer: &OrchestratorInfo{}}
	bad := new(OrchestratorRequest)
	bad.ProtoReflect().SetUnknown([]byte{0xff})
	_, err := GetOrchestrator(t.Context(), serve(t, o), bad)
	require.Error(t, err)
	require.Nil(t, o.asked, "the handler is not reached")
}
