package pm

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/num"
)

// Why a winner is not redeemed yet. It stays in its queue and is retried.
var (
	// ErrRecipientNotActive is reported while the ticket's recipient is not active: the
	// contract does not pay it then.
	ErrRecipientNotActive = errors.New("the ticket's recipient is not active")

	// ErrNotWorthGas is reported while redemption costs as much as it could bring in.
	ErrNotWorthGas = errors.New("redemption is not worth its gas")
)

// errNoMeans is reported for each winner of a monitor that cannot redeem.
var errNoMeans = errors.New("the sender monitor has no Broker or no SuggestGasPrice, so it redeems nothing")

// redeemFrom redeems the tickets of an emitter until ctx ends.
func (sm *LocalSenderMonitor) redeemFrom(ctx context.Context, emitter RedeemableEmitter) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-emitter.Redeemable():
			txHash, err := sm.redeem(ctx, r.SignedTicket)
			r.result <- redemptionResult{txHash, err}
		}
	}
}

// redeem redeems one ticket and waits until that is mined. It returns the hash of a mined
// transaction, whether it succeeded or not.
func (sm *LocalSenderMonitor) redeem(ctx context.Context, ticket *SignedTicket) (common.Hash, error) {
	if err := sm.checkRedeemable(ctx, ticket); err != nil {
		return common.Hash{}, err
	}
	sm.addPending(ticket.Sender, ticket.FaceValue)
	defer sm.addPending(ticket.Sender, new(big.Int).Neg(num.OrZero(ticket.FaceValue)))

	tx, err := sm.broker.RedeemWinningTicket(ticket.Ticket, ticket.Sig, ticket.RecipientRand)
	if err != nil {
		return common.Hash{}, fmt.Errorf("redeem: %w", err)
	}
	err = sm.checkTx(ctx, tx)
	if err != nil && !errors.Is(err, ErrTxFailed) {
		return common.Hash{}, fmt.Errorf("wait for redemption %v: %w", tx.Hash(), err)
	}
	// Cleared before the face value stops being pending, so that max float does not count the
	// same funds twice.
	sm.smgr.Clear(ticket.Sender)
	return tx.Hash(), err
}

// checkRedeemable returns why a ticket cannot or should not be redeemed now.
func (sm *LocalSenderMonitor) checkRedeemable(ctx context.Context, ticket *SignedTicket) error {
	if sm.broker == nil || sm.cfg.SuggestGasPrice == nil {
		return errNoMeans
	}
	used, err := sm.broker.IsUsedTicket(ticket.Ticket)
	if err != nil {
		return fmt.Errorf("check whether the ticket is used: %w", err)
	}
	if used {
		return ErrTicketUsed
	}
	round := num.OrZero(sm.tm.LastInitializedRound())
	active, err := sm.store.IsOrchActive(ticket.Recipient, round)
	if err != nil {
		return fmt.Errorf("check whether the recipient is active: %w", err)
	}
	if !active {
		return fmt.Errorf("%w: %v in round %v", ErrRecipientNotActive, ticket.Recipient, round)
	}
	cost, err := sm.redeemCost(ctx)
	if err != nil {
		return err
	}
	if num.OrZero(ticket.FaceValue).Cmp(cost) <= 0 {
		return fmt.Errorf("%w: it costs %v wei, the face value is %v wei", ErrNotWorthGas, cost, ticket.FaceValue)
	}
	funds, err := sm.availableFunds(ticket.Sender)
	if err != nil {
		return err
	}
	if funds.Cmp(cost) <= 0 {
		return fmt.Errorf("%w: it costs %v wei, the sender's funds are %v wei", ErrNotWorthGas, cost, funds)
	}
	return nil
}

// redeemCost returns what a redemption costs now, in wei.
func (sm *LocalSenderMonitor) redeemCost(ctx context.Context) (*big.Int, error) {
	if sm.cfg.RPCTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, sm.cfg.RPCTimeout)
		defer cancel()
	}
	gasPrice, err := sm.cfg.SuggestGasPrice(ctx)
	if err != nil {
		return nil, fmt.Errorf("gas price: %w", err)
	}
	return new(big.Int).Mul(big.NewInt(int64(sm.cfg.RedeemGas)), num.OrZero(gasPrice)), nil
}

func (sm *LocalSenderMonitor) checkTx(ctx context.Context, tx *types.Transaction) error {
	if waiter, ok := sm.broker.(TxWaiter); ok {
		return waiter.CheckTxContext(ctx, tx)
	}
	return sm.broker.CheckTx(tx)
}

// addPending changes the face value in flight and notifies subscribers.
func (sm *LocalSenderMonitor) addPending(addr common.Address, delta *big.Int) {
	sm.mu.Lock()
	sender := sm.access(addr)
	sender.pending.Add(sender.pending, num.OrZero(delta))
	sm.mu.Unlock()
	sm.notify(addr)
}
