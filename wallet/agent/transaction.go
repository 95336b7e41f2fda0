package agent

import (
	"cmp"
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/policy"
)

// signTransaction signs a call of the TicketBroker, or an empty transaction that cancels one,
// within the user's limits.
func (s *Service) signTransaction(ctx context.Context, t *transaction) (*transaction, error) {
	if err := cmp.Or(s.serves(t.Sender), s.servesChain(t.ChainID)); err != nil {
		return nil, err
	}
	unsigned := new(types.Transaction)
	if err := unsigned.UnmarshalBinary(t.Transaction); err != nil {
		return nil, fmt.Errorf("%w: transaction: %w", format.ErrSyntax, err)
	}
	if err := s.checkCall(ctx, unsigned); err != nil {
		return nil, err
	}
	if err := s.Limits.CheckFee(unsigned); err != nil {
		return nil, err
	}
	key, err := s.unlocked()
	if err != nil {
		return nil, err
	}
	signed, err := key.SignTx(ctx, unsigned, new(big.Int).SetUint64(s.Network.ChainID))
	if err != nil {
		return nil, err
	}
	raw, err := signed.MarshalBinary()
	if err != nil {
		return nil, err
	}
	s.transactions.Add(1)
	s.facts.Sign(signed.Hash(), signed.Nonce())
	return &transaction{ChainID: t.ChainID, Sender: t.Sender, Transaction: raw}, nil
}

// mined records that one of the account's transactions was mined, so that cached facts about its
// funds are dropped.
func (s *Service) mined(_ context.Context, r *receipt) (*Status, error) {
	if err := cmp.Or(s.serves(r.Sender), s.servesChain(r.ChainID)); err != nil {
		return nil, err
	}
	s.facts.Mined(common.Hash(r.Transaction))
	return s.Status(), nil
}

// checkCall returns ErrTransaction for anything but a call of the TicketBroker or an empty transfer
// to the account itself, which replaces another transaction, and ErrFundsAnother for a call that
// funds another sender.
func (s *Service) checkCall(ctx context.Context, t *types.Transaction) error {
	if err := policy.CheckShape(t, s.Network.ChainID); err != nil {
		return fmt.Errorf("%w: %w", ErrTransaction, err)
	}
	switch {
	case *t.To() == s.Signer.Address() && t.Value().Sign() == 0 && len(t.Data()) == 0:
		return nil
	case s.Broker == nil:
		return fmt.Errorf("%w, whose address is unknown: %w", ErrTransaction, facts.ErrNoNode)
	}
	ctx, cancel := context.WithTimeout(ctx, facts.AskTimeout)
	defer cancel()
	at, err := s.Broker(ctx)
	if err != nil {
		return err
	}
	if *t.To() != at {
		return fmt.Errorf("%w: it is to %v, but the TicketBroker of %s is %v", ErrTransaction, common.Address(*t.To()), s.Network.Name, at)
	}
	call, err := broker.ParseCall(t.Value(), t.Data())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTransaction, err)
	}
	if call.Beneficiary != nil && *call.Beneficiary != s.Signer.Address() {
		return fmt.Errorf("%w: %v", ErrFundsAnother, *call.Beneficiary)
	}
	return nil
}
