package wire

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"google.golang.org/grpc"

	"github.com/pmctl/pmctl/pm"
)

// MethodGetOrchestrator is the path of the one gRPC method that a sender calls. The
// service's name is the network's, whatever our messages are called.
const MethodGetOrchestrator = "/" + serviceName + "/GetOrchestrator"

const serviceName = "net.Orchestrator"

// GetOrchestrator asks a recipient for its ticket params.
func GetOrchestrator(ctx context.Context, conn grpc.ClientConnInterface, req *OrchestratorRequest, opts ...grpc.CallOption) (*OrchestratorInfo, error) {
	info := new(OrchestratorInfo)
	if err := conn.Invoke(ctx, MethodGetOrchestrator, req, info, opts...); err != nil {
		return nil, err
	}
	return info, nil
}

// OrchestratorServer answers GetOrchestrator.
type OrchestratorServer interface {
	GetOrchestrator(ctx context.Context, req *OrchestratorRequest) (*OrchestratorInfo, error)
}

// RegisterOrchestratorServer registers server as the network's service on s.
func RegisterOrchestratorServer(s grpc.ServiceRegistrar, server OrchestratorServer) {
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: serviceName,
		HandlerType: (*OrchestratorServer)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "GetOrchestrator", Handler: handleGetOrchestrator}},
	}, server)
}

func handleGetOrchestrator(server any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
	req := new(OrchestratorRequest)
	if err := decode(req); err != nil {
		return nil, err
	}
	handle := func(ctx context.Context, req any) (any, error) {
		return server.(OrchestratorServer).GetOrchestrator(ctx, req.(*OrchestratorRequest))
	}
	if interceptor == nil {
		return handle(ctx, req)
	}
	return interceptor(ctx, req, &grpc.UnaryServerInfo{Server: server, FullMethod: MethodGetOrchestrator}, handle)
}

// NewOrchestratorRequest returns the signed request of signer's account. It fails with the signer's
// error.
func NewOrchestratorRequest(signer pm.Signer) (*OrchestratorRequest, error) {
	address := signer.Account().Address
	sig, err := signer.Sign(OrchestratorRequestMessage(address))
	if err != nil {
		return nil, err
	}
	return &OrchestratorRequest{Address: address.Bytes(), Sig: sig}, nil
}

// OrchestratorRequestMessage returns the personal message that a sender signs to request
// params: keccak256 of the text of its address, 0x with the checksum's case.
func OrchestratorRequestMessage(sender common.Address) []byte {
	return crypto.Keccak256([]byte(sender.Hex()))
}
