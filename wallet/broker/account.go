package broker

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Transactor sends one account's transactions. Send returns once the node has the transaction,
// and may be called from many goroutines; Wait returns once it is mined, with an error that
// matches pm.ErrTxFailed if it reverted.
type Transactor interface {
	Send(ctx context.Context, to common.Address, value wei.Wei, data []byte) (*types.Transaction, error)
	Wait(ctx context.Context, hash common.Hash) (*types.Receipt, error)
}

// Caller reads the contract: a *chain.Client.
type Caller interface {
	CallContract(ctx context.Context, msg ethereum.CallMsg, block *big.Int) ([]byte, error)
}

// Account implements pm.Broker with the contract, as one account.
type Account struct {
	// ctx ends all calls, since package pm's methods have no context of their own.
	ctx     context.Context
	at      common.Address
	account Transactor
	node    Caller
}

var (
	_ pm.Broker   = (*Account)(nil)
	_ pm.TxWaiter = (*Account)(nil)
)

// NewAccount returns the broker of an account: the contract at an address, read through node.
// Everything it does ends with ctx.
func NewAccount(ctx context.Context, at common.Address, account Transactor, node Caller) *Account {
	return &Account{ctx: ctx, at: at, account: account, node: node}
}

func (a *Account) send(value wei.Wei, data []byte) (*types.Transaction, error) {
	return a.account.Send(a.ctx, a.at, value, data)
}

// fund sends a deposit and a reserve, with the data that pack returns for them.
func (a *Account) fund(deposit, reserve *big.Int, pack func(deposit, reserve wei.Wei) []byte) (*types.Transaction, error) {
	toDeposit, err := wei.FromBig(deposit)
	if err != nil {
		return nil, fmt.Errorf("deposit: %w", err)
	}
	toReserve, err := wei.FromBig(reserve)
	if err != nil {
		return nil, fmt.Errorf("reserve: %w", err)
	}
	value, err := toDeposit.Add(toReserve)
	if err != nil {
		return nil, err
	}
	return a.send(value, pack(toDeposit, toReserve))
}

// FundDepositAndReserve implements pm.Broker.
func (a *Account) FundDepositAndReserve(depositAmount, reserveAmount *big.Int) (*types.Transaction, error) {
	return a.fund(depositAmount, reserveAmount, func(deposit, reserve wei.Wei) []byte { return Fund(deposit, reserve, common.Address{}) })
}

// FundDeposit implements pm.Broker.
func (a *Account) FundDeposit(amount *big.Int) (*types.Transaction, error) {
	return a.fund(amount, new(big.Int), func(wei.Wei, wei.Wei) []byte { return FundDeposit() })
}

// FundReserve implements pm.Broker.
func (a *Account) FundReserve(amount *big.Int) (*types.Transaction, error) {
	return a.fund(new(big.Int), amount, func(wei.Wei, wei.Wei) []byte { return contract.NewTicketBroker().PackFundReserve() })
}

// Unlock implements pm.Broker.
func (a *Account) Unlock() (*types.Transaction, error) { return a.send(wei.Wei{}, Unlock()) }

// CancelUnlock implements pm.Broker.
func (a *Account) CancelUnlock() (*types.Transaction, error) {
	return a.send(wei.Wei{}, CancelUnlock())
}

// Withdraw implements pm.Broker.
func (a *Account) Withdraw() (*types.Transaction, error) { return a.send(wei.Wei{}, Withdraw()) }

// RedeemWinningTicket implements pm.Broker.
func (a *Account) RedeemWinningTicket(ticket *pm.Ticket, sig []byte, recipientRand *big.Int) (*types.Transaction, error) {
	data, err := Redeem(&pm.SignedTicket{Ticket: ticket, Sig: sig, RecipientRand: recipientRand})
	if err != nil {
		return nil, err
	}
	return a.send(wei.Wei{}, data)
}

// IsUsedTicket implements pm.Broker.
func (a *Account) IsUsedTicket(ticket *pm.Ticket) (bool, error) {
	if err := ticket.CheckFields(); err != nil {
		return false, err
	}
	broker := contract.NewTicketBroker()
	out, err := a.node.CallContract(a.ctx, ethereum.CallMsg{To: &a.at, Data: broker.PackUsedTickets(ticket.Hash())}, nil)
	if err != nil {
		return false, err
	}
	return broker.UnpackUsedTickets(out)
}

// CheckTx implements pm.Broker.
func (a *Account) CheckTx(tx *types.Transaction) error { return a.CheckTxContext(a.ctx, tx) }

// CheckTxContext implements pm.TxWaiter.
func (a *Account) CheckTxContext(ctx context.Context, tx *types.Transaction) error {
	_, err := a.account.Wait(ctx, tx.Hash())
	return err
}
