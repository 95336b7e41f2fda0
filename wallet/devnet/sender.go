package devnet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Sender sends the transactions of an account of the network. It keeps no journal and relies on
// the node: Reorg drops transactions, and a journal would wait for them for ever. Its methods
// may be called from any goroutine.
type Sender struct {
	client *chain.Client
	key    tx.Signer
	// earlier is the account's first nonce of this run, if earlier ones are waited for.
	earlier uint64
	// sending serializes transactions, so that no two take one nonce.
	sending sync.Mutex
}

var _ broker.Transactor = (*Sender)(nil)

// NewSender returns the sender of a key's account. The caller still closes the key.
func NewSender(client *chain.Client, key tx.Signer) *Sender { return &Sender{client: client, key: key} }

// afterEarlier blocks new transactions until all that the account has sent so far are mined: a
// transaction that an earlier run sent and did not record would be sent twice, and the second
// would only cost gas.
func (s *Sender) afterEarlier(ctx context.Context) (err error) {
	_, s.earlier, err = s.client.Nonces(ctx, s.key.Address())
	return err
}

// Send implements broker.Transactor.
func (s *Sender) Send(ctx context.Context, to common.Address, value wei.Wei, data []byte) (*types.Transaction, error) {
	s.sending.Lock()
	defer s.sending.Unlock()
	mined, pending, err := s.client.Nonces(ctx, s.key.Address())
	if err != nil {
		return nil, err
	}
	// A transaction that the pool has dropped is not waited for.
	if waiting := min(pending, s.earlier); mined < waiting {
		return nil, fmt.Errorf("transactions of an earlier run are not mined yet: %d", waiting-mined)
	}
	p, err := tx.Prepare(ctx, s.client, s.key.Address(), tx.Call{To: to, Value: value, Data: data}, tx.Caps{})
	if err != nil {
		return nil, err
	}
	signed, err := s.key.SignTx(ctx, p.Transaction(s.client.ChainID(), pending), s.client.ChainID())
	if err != nil {
		return nil, err
	}
	return signed, s.client.SendTransaction(ctx, signed)
}

// Wait implements broker.Transactor.
func (s *Sender) Wait(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	look := time.NewTicker(watchInterval)
	defer look.Stop()
	for {
		// A node that is briefly down does not undo what was sent.
		receipt, err := s.client.TransactionReceipt(ctx, hash)
		switch {
		case err == nil && receipt.Status == types.ReceiptStatusSuccessful:
			return receipt, nil
		case err == nil:
			return receipt, tx.Failed(hash, nil)
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil, &tx.NotMinedError{Hash: hash, Err: ctx.Err()}
		}
	}
}
