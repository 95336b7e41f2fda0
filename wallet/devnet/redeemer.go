package devnet

import (
	"context"
	"fmt"
	"math/big"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/broker"
)

// redeemer is a recipient's broker. It redeems nothing before all that the account
// sent in an earlier run is mined: what was sent then and not marked as redeemed
// would be sent twice, and the second would cost its gas for nothing.
type redeemer struct {
	*broker.Account
	ctx     context.Context
	node    *ethclient.Client
	account common.Address
	// earlier is the account's first transaction nonce of this run.
	earlier uint64
	// settled is set once the ones before are mined.
	settled atomic.Bool
}

func newRedeemer(ctx context.Context, acts *broker.Account, node *ethclient.Client, account common.Address) (*redeemer, error) {
	earlier, err := node.PendingNonceAt(ctx, account)
	if err != nil {
		return nil, err
	}
	return &redeemer{Account: acts, ctx: ctx, node: node, account: account, earlier: earlier}, nil
}

// RedeemWinningTicket implements pm.Broker.
func (r *redeemer) RedeemWinningTicket(ticket *pm.Ticket, sig []byte, recipientRand *big.Int) (*types.Transaction, error) {
	if err := r.settle(); err != nil {
		return nil, err
	}
	return r.Account.RedeemWinningTicket(ticket, sig, recipientRand)
}

// settle fails while transactions of an earlier run wait in the node's pool.
func (r *redeemer) settle() error {
	if r.settled.Load() {
		return nil
	}
	mined, err := r.node.NonceAt(r.ctx, r.account, nil)
	if err != nil {
		return err
	}
	pending, err := r.node.PendingNonceAt(r.ctx, r.account)
	if err != nil {
		return err
	}
	// What the pool has dropped is not waited for.
	if waiting := min(pending, r.earlier); mined < waiting {
		return fmt.Errorf("transactions of an earlier run are not mined yet: %d", waiting-mined)
	}
	r.settled.Store(true)
	return nil
}
