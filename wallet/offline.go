package wallet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Unsigned returns an action as a document to sign on another machine, and notes what it would do. It
// returns ErrRequestID, and the errors of Simulate.
func (w *Wallet) Unsigned(ctx context.Context, a Action, requestID string) (*format.Transaction, error) {
	if _, err := named(requestID, ""); err != nil {
		return nil, err
	}
	p, err := w.Simulate(ctx, a)
	if err != nil {
		return nil, err
	}
	w.showPrepared(p.Network, p.Prepared)
	for _, sentence := range p.Says {
		w.note("%s", sentence)
	}
	ctx, cancel := w.bound(ctx)
	defer cancel()
	nonce, err := w.node.PendingNonceAt(ctx, p.From)
	if err != nil {
		return nil, err
	}
	feeCap, err := wei.FromBig(p.FeeCap)
	if err != nil {
		return nil, err
	}
	document := &format.Transaction{
		Network: p.Network.Name, ChainID: format.Nat(p.Network.ChainID), Label: string(p.Label), RequestID: requestID,
		From: format.Address(p.From), To: format.Address(p.To), Value: format.Amount{Wei: p.Value}, Data: p.Data,
		Nonce: format.Num(nonce), GasLimit: format.Num(p.GasLimit), MaxGasPrice: format.Amount{Wei: feeCap},
	}
	if p.Legacy() {
		return document, nil
	}
	tip, err := wei.FromBig(p.TipCap)
	document.MaxTip = &format.Amount{Wei: tip}
	return document, err
}

// ErrOtherNetwork is returned for a transaction on another network.
var ErrOtherNetwork = errors.New("the transaction is for another network")

// checkTransaction checks a transaction prepared elsewhere against the network, its TicketBroker
// and the limits, and returns its call. It returns ErrOtherNetwork and the errors of
// policy.Limits.CheckTransaction.
func checkTransaction(t *format.Transaction, network chain.Network, ticketBroker common.Address, limits policy.Limits) (*broker.Call, error) {
	if err := checkNetwork(t, network); err != nil {
		return nil, err
	}
	return limits.CheckTransaction(t.Unsigned(), network.ChainID, ticketBroker)
}

func checkNetwork(t *format.Transaction, network chain.Network) error {
	if uint64(t.ChainID) == network.ChainID {
		return nil
	}
	return hint.With(fmt.Errorf("%w: %s (chain ID %d), not %s (chain ID %d)", ErrOtherNetwork, t.Network, t.ChainID, network.Name, network.ChainID),
		"choose its network with --network NAME, or with --controller ADDRESS --chain-id ID")
}

// SendSigned sends a transaction that another machine signed, after the checks of CheckUnsigned.
// Sending the same transaction again is harmless. It returns ErrUnlocking if the transaction
// would cancel an unlock that has begun meanwhile and cancelUnlock is not set, ErrNoDocument,
// ErrNoStore, format.ErrTransaction, and the errors of CheckUnsigned and Do.
func (w *Wallet) SendSigned(ctx context.Context, document *format.SignedTransaction, terms Terms, cancelUnlock bool, o WaitOptions) (Transaction, error) {
	if err := w.requireStore(); err != nil {
		return Transaction{}, err
	}
	if document == nil {
		return Transaction{}, ErrNoDocument
	}
	if _, err := named(document.RequestID, ""); err != nil {
		return Transaction{}, err
	}
	signed, err := document.Signed()
	if err != nil {
		return Transaction{}, err
	}
	ctx, cancel := w.bound(ctx)
	defer cancel()
	if err := checkNetwork(&document.Transaction, w.Network); err != nil {
		return Transaction{}, err
	}
	from := common.Address(document.From)
	s, err := w.look(ctx, from)
	if err != nil {
		return Transaction{}, err
	}
	call, err := checkTransaction(&document.Transaction, w.Network, s.status.Contracts.TicketBroker, w.Limits)
	if err != nil {
		return Transaction{}, err
	}
	if _, err := w.journal.Find(ctx, signed.Hash()); errors.Is(err, tx.ErrUnknown) && !cancelUnlock && call.FundsItself(from) && s.status.Sender.Unlocking() {
		return Transaction{}, unlocking(s.status.Sender.WithdrawRound)
	}
	intent, err := w.manager(s.client).SubmitSigned(ctx, &tx.Intent{
		Account: from, Nonce: uint64(document.Nonce), RequestID: document.RequestID, Label: tx.ReadLabel(document.Label),
	}, signed, terms)
	if intent == nil {
		return Transaction{}, err
	}
	a := pendingTx{Wallet: w, situation: s, WaitOptions: o, intent: intent, withPending: terms.WithPending, report: reportEvents()}
	var result Transaction
	if err == nil {
		result, err = a.await(ctx)
	}
	return result, a.end(ctx, err)
}
