package recipient

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// GetOrchestrator answers a sender's signed request with the recipient's offer. As with the
// deployed node every refusal has the status Unknown, and only its text has the reason.
func (r *Recipient) GetOrchestrator(ctx context.Context, req *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
	info, err := r.offer(ctx, req)
	r.ledger.paramsAsked(err)
	if err != nil {
		return nil, status.Error(codes.Unknown, err.Error())
	}
	return info, nil
}

func (r *Recipient) offer(ctx context.Context, req *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
	sender, err := requester(req)
	if err != nil {
		return nil, fmt.Errorf("authentication failed: %w", err)
	}
	if err := r.synced(ctx); err != nil {
		return nil, err
	}
	url := r.PlainURL()
	if p, ok := peer.FromContext(ctx); ok && p.AuthInfo != nil {
		url = r.URL()
	}
	token, err := r.authority.issue("", r.cfg.Now())
	if err != nil {
		return nil, err
	}
	price, err := r.cfg.Economy.priceOf(req.GetCapabilities())
	if err != nil {
		return nil, err
	}
	return r.info(sender, url, price, token)
}

// requester returns the signer of the request.
func requester(req *wire.OrchestratorRequest) (common.Address, error) {
	if len(req.GetAddress()) != common.AddressLength {
		return common.Address{}, fmt.Errorf("an address has %d bytes, not %d", common.AddressLength, len(req.GetAddress()))
	}
	sender := common.BytesToAddress(req.GetAddress())
	if !new(pm.DefaultSigVerifier).Verify(sender, wire.OrchestratorRequestMessage(sender), req.GetSig()) {
		return common.Address{}, fmt.Errorf("the signature is not by %v", sender)
	}
	return sender, nil
}

// info makes an offer with all that the recipient has: fresh params at a price in wei per pixel,
// and the auth token of its session. url is the URL of the request.
func (r *Recipient) info(sender common.Address, url string, price *big.Rat, token *wire.AuthToken) (*wire.OrchestratorInfo, error) {
	info, err := r.challenge(sender, url, price, token)
	if err != nil {
		return nil, err
	}
	if info.Capabilities, err = r.cfg.Economy.capabilities(); err != nil {
		return nil, err
	}
	if err := info.SetExtras(r.cfg.Economy.extras()); err != nil {
		return nil, err
	}
	r.spoil(info)
	return info, nil
}

// challenge makes an offer with what a payment needs.
func (r *Recipient) challenge(sender common.Address, url string, price *big.Rat, token *wire.AuthToken) (*wire.OrchestratorInfo, error) {
	maker := r.recipient
	if _, on := r.faults.has(FaultExpensiveEV); on {
		maker = r.expensive
	}
	params, err := maker.TicketParams(sender, price)
	if err != nil {
		return nil, err
	}
	wireParams, err := wire.FromTicketParams(params)
	if err != nil {
		return nil, err
	}
	return &wire.OrchestratorInfo{
		Transcoder:   url,
		TicketParams: wireParams,
		PriceInfo:    &wire.PriceInfo{PricePerUnit: price.Num().Int64(), PixelsPerUnit: price.Denom().Int64()},
		Address:      r.cfg.Address.Bytes(),
		AuthToken:    token,
	}, nil
}
