package chain

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Transactor sends one account's transactions. Send returns when the node has the
// transaction and may be called from many goroutines; Wait returns when it is mined,
// with an error that matches pm.ErrTxFailed when it reverted.
type Transactor interface {
	Send(ctx context.Context, to common.Address, value wei.Wei, data []byte) (*types.Transaction, error)
	Wait(ctx context.Context, hash common.Hash) (*types.Receipt, error)
}

// Broker is package pm's Broker over the contracts: what one account does there.
type Broker struct {
	client  *Client
	account Transactor
	ctx     context.Context
	broker  common.Address
}

var (
	_ pm.Broker   = (*Broker)(nil)
	_ pm.TxWaiter = (*Broker)(nil)
)

// NewBroker returns the broker that account acts on. Since package pm's methods have
// no context of their own, all of them end when ctx does.
func NewBroker(ctx context.Context, client *Client, account Transactor) (*Broker, error) {
	contracts, err := client.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	return &Broker{client: client, account: account, ctx: ctx, broker: contracts.TicketBroker}, nil
}

func (b *Broker) send(value wei.Wei, data []byte) (*types.Transaction, error) {
	return b.account.Send(b.ctx, b.broker, value, data)
}

// FundDepositAndReserve implements pm.Broker.
func (b *Broker) FundDepositAndReserve(depositAmount, reserveAmount *big.Int) (*types.Transaction, error) {
	deposit, err := wei.FromBig(depositAmount)
	if err != nil {
		return nil, fmt.Errorf("deposit: %w", err)
	}
	reserve, err := wei.FromBig(reserveAmount)
	if err != nil {
		return nil, fmt.Errorf("reserve: %w", err)
	}
	value, err := deposit.Add(reserve)
	if err != nil {
		return nil, err
	}
	return b.send(value, contract.NewTicketBroker().PackFundDepositAndReserve(depositAmount, reserveAmount))
}

// FundDeposit implements pm.Broker.
func (b *Broker) FundDeposit(amount *big.Int) (*types.Transaction, error) {
	value, err := wei.FromBig(amount)
	if err != nil {
		return nil, fmt.Errorf("deposit: %w", err)
	}
	return b.send(value, contract.NewTicketBroker().PackFundDeposit())
}

// FundReserve implements pm.Broker.
func (b *Broker) FundReserve(amount *big.Int) (*types.Transaction, error) {
	value, err := wei.FromBig(amount)
	if err != nil {
		return nil, fmt.Errorf("reserve: %w", err)
	}
	return b.send(value, contract.NewTicketBroker().PackFundReserve())
}

// Unlock implements pm.Broker.
func (b *Broker) Unlock() (*types.Transaction, error) {
	return b.send(wei.Wei{}, contract.NewTicketBroker().PackUnlock())
}

// CancelUnlock implements pm.Broker.
func (b *Broker) CancelUnlock() (*types.Transaction, error) {
	return b.send(wei.Wei{}, contract.NewTicketBroker().PackCancelUnlock())
}

// Withdraw implements pm.Broker.
func (b *Broker) Withdraw() (*types.Transaction, error) {
	return b.send(wei.Wei{}, contract.NewTicketBroker().PackWithdraw())
}

// RedeemWinningTicket implements pm.Broker.
func (b *Broker) RedeemWinningTicket(ticket *pm.Ticket, sig []byte, recipientRand *big.Int) (*types.Transaction, error) {
	if err := ticket.CheckFields(); err != nil {
		return nil, err
	}
	if recipientRand == nil {
		recipientRand = new(big.Int)
	}
	if recipientRand.Sign() < 0 || recipientRand.BitLen() > 256 {
		return nil, &pm.FieldError{Field: "recipientRand", Negative: recipientRand.Sign() < 0, Bits: recipientRand.BitLen()}
	}
	data, err := contract.NewTicketBroker().TryPackRedeemWinningTicket(contract.ITicketBrokerTicket{
		Recipient:         ticket.Recipient,
		Sender:            ticket.Sender,
		FaceValue:         orZero(ticket.FaceValue),
		WinProb:           orZero(ticket.WinProb),
		SenderNonce:       new(big.Int).SetUint64(uint64(ticket.SenderNonce)),
		RecipientRandHash: ticket.RecipientRandHash,
		AuxData:           ticket.AuxData(),
	}, sig, recipientRand)
	if err != nil {
		return nil, fmt.Errorf("encode the ticket: %w", err)
	}
	return b.send(wei.Wei{}, data)
}

// IsUsedTicket implements pm.Broker.
func (b *Broker) IsUsedTicket(ticket *pm.Ticket) (bool, error) {
	if err := ticket.CheckFields(); err != nil {
		return false, err
	}
	broker := contract.NewTicketBroker()
	var used bool
	read := new(batch)
	call(read, b.broker, broker.PackUsedTickets(ticket.Hash()), broker.UnpackUsedTickets, &used)
	return used, b.client.Do(b.ctx, &read.Batch)
}

// CheckTx implements pm.Broker.
func (b *Broker) CheckTx(tx *types.Transaction) error { return b.CheckTxContext(b.ctx, tx) }

// CheckTxContext implements pm.TxWaiter.
func (b *Broker) CheckTxContext(ctx context.Context, tx *types.Transaction) error {
	_, err := b.account.Wait(ctx, tx.Hash())
	return err
}

// orZero reads an absent number as 0, as package pm does.
func orZero(v *big.Int) *big.Int {
	if v == nil {
		return new(big.Int)
	}
	return v
}
