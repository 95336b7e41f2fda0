package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Signer signs transactions of one account.
type Signer interface {
	SignTx(tx *types.Transaction, chainID *big.Int) (*types.Transaction, error)
	Address() common.Address
}

// Send signs a prepared call and hands it to the node. When the node does not answer
// it fails with *UnknownOutcomeError; any other error means that nothing was sent.
func Send(ctx context.Context, node Backend, signer Signer, p *Prepared) (*types.Transaction, error) {
	if signer.Address() != p.From {
		return nil, fmt.Errorf("the transaction was prepared for %s and cannot be signed by %s", p.From, signer.Address())
	}
	nonce, err := node.PendingNonceAt(ctx, p.From)
	if err != nil {
		return nil, err
	}
	signed, err := signer.SignTx(p.transaction(node.ChainID(), nonce), node.ChainID())
	if err != nil {
		return nil, fmt.Errorf("sign the transaction: %w", err)
	}
	if err := node.SendTransaction(ctx, signed); err != nil {
		if strings.Contains(err.Error(), alreadyKnown) {
			return signed, nil
		}
		if errors.Is(err, chain.ErrUnreachable) || errors.Is(err, context.Canceled) {
			return nil, &UnknownOutcomeError{Hash: signed.Hash(), Err: err}
		}
		return nil, err
	}
	return signed, nil
}

// Wait returns a transaction's receipt once it is mined. It fails with
// *NotMinedError when ctx ends first, and with *FailedError when it reverted.
func Wait(ctx context.Context, node Backend, hash common.Hash) (*types.Receipt, error) {
	var last error
	for wait := firstPoll; ; wait = min(wait*3/2, lastPoll) {
		receipt, err := node.TransactionReceipt(ctx, hash)
		switch {
		case err == nil && receipt.Status == types.ReceiptStatusSuccessful:
			return receipt, nil
		case err == nil:
			return receipt, &FailedError{Hash: hash}
		case !errors.Is(err, ethereum.NotFound):
			// A node that is away for a moment does not undo what was sent.
			last = err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			var err error = waitEnded{ctx.Err()}
			if last != nil && !errors.Is(last, ctx.Err()) {
				err = fmt.Errorf("%w; the node's last answer: %w", err, last)
			}
			return nil, &NotMinedError{Hash: hash, Err: err}
		}
	}
}

// replay asks why a mined transaction failed: it makes the same call on the state before
// its block. It returns a *contract.RevertError, or an *OutOfGasError when the call succeeds
// there and has used up its gas, or nil when that cannot be told.
func replay(ctx context.Context, node Backend, from common.Address, sent *types.Transaction, receipt *types.Receipt) error {
	if receipt.BlockNumber == nil || receipt.BlockNumber.Sign() == 0 {
		return nil
	}
	before := new(big.Int).Sub(receipt.BlockNumber, big.NewInt(1))
	_, err := node.CallContract(ctx, ethereum.CallMsg{From: from, To: sent.To(), Value: sent.Value(), Data: sent.Data()}, before)
	var revert *contract.RevertError
	switch {
	case errors.As(err, &revert) && revert.Reason != "":
		return revert
	case receipt.GasUsed >= sent.Gas()-sent.Gas()/callKeeps:
		return &OutOfGasError{Limit: sent.Gas(), Used: receipt.GasUsed}
	case revert != nil:
		return revert
	}
	return nil
}

// callKeeps is the part of its gas that a call cannot hand on to another (EIP-150): where
// the other one runs out, that part may be left.
const callKeeps = 64

// Account sends the transactions of one account. Its methods may be called from any
// goroutine.
type Account struct {
	node   Backend
	signer Signer
	// sending lets one transaction be sent at a time, so that no two take one nonce.
	sending sync.Mutex
}

var _ broker.Transactor = (*Account)(nil)

// NewAccount returns signer's account on the node.
func NewAccount(node Backend, signer Signer) *Account { return &Account{node: node, signer: signer} }

// Send prepares, signs and sends a call. It fails as Prepare and Send do.
func (a *Account) Send(ctx context.Context, to common.Address, value wei.Wei, data []byte) (*types.Transaction, error) {
	a.sending.Lock()
	defer a.sending.Unlock()
	p, err := Prepare(ctx, a.node, a.signer.Address(), Call{To: to, Value: value, Data: data}, Caps{})
	if err != nil {
		return nil, err
	}
	return Send(ctx, a.node, a.signer, p)
}

// Wait waits for a transaction. It fails as the function Wait does.
func (a *Account) Wait(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	return Wait(ctx, a.node, hash)
}
