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
// transaction, Wait when it is mined, with an error when it reverted.
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

var _ pm.Broker = (*Broker)(nil)

// NewBroker returns the broker that account acts on. Since package pm's methods have
// no context of their own, all of them end when ctx does.
func NewBroker(ctx context.Context, client *Client, account Transactor) (*Broker, error) {
	contracts, err := client.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	return &Broker{client: client, account: account, ctx: ctx, broker: contracts.TicketBroker}, nil
}

func (b *Broker) send(value *big.Int, data []byte) (*types.Transaction, error) {
	amount, err := wei.FromBig(value)
	if err != nil {
		return nil, err
	}
	return b.account.Send(b.ctx, b.broker, amount, data)
}

// FundDepositAndReserve implements pm.Broker.
func (b *Broker) FundDepositAndReserve(depositAmount, reserveAmount *big.Int) (*types.Transaction, error) {
	return b.send(new(big.Int).Add(depositAmount, reserveAmount), contract.NewTicketBroker().PackFundDepositAndReserve(depositAmount, reserveAmount))
}

// FundDeposit implements pm.Broker.
func (b *Broker) FundDeposit(amount *big.Int) (*types.Transaction, error) {
	return b.send(amount, contract.NewTicketBroker().PackFundDeposit())
}

// FundReserve implements pm.Broker.
func (b *Broker) FundReserve(amount *big.Int) (*types.Transaction, error) {
	return b.send(amount, contract.NewTicketBroker().PackFundReserve())
}

// Unlock implements pm.Broker.
func (b *Broker) Unlock() (*types.Transaction, error) {
	return b.send(new(big.Int), contract.NewTicketBroker().PackUnlock())
}

// CancelUnlock implements pm.Broker.
func (b *Broker) CancelUnlock() (*types.Transaction, error) {
	return b.send(new(big.Int), contract.NewTicketBroker().PackCancelUnlock())
}

// Withdraw implements pm.Broker.
func (b *Broker) Withdraw() (*types.Transaction, error) {
	return b.send(new(big.Int), contract.NewTicketBroker().PackWithdraw())
}

// RedeemWinningTicket implements pm.Broker.
func (b *Broker) RedeemWinningTicket(ticket *pm.Ticket, sig []byte, recipientRand *big.Int) (*types.Transaction, error) {
	if err := ticket.CheckFields(); err != nil {
		return nil, err
	}
	data, err := contract.NewTicketBroker().TryPackRedeemWinningTicket(contract.ITicketBrokerTicket{
		Recipient:         ticket.Recipient,
		Sender:            ticket.Sender,
		FaceValue:         ticket.FaceValue,
		WinProb:           ticket.WinProb,
		SenderNonce:       new(big.Int).SetUint64(uint64(ticket.SenderNonce)),
		RecipientRandHash: ticket.RecipientRandHash,
		AuxData:           ticket.AuxData(),
	}, sig, recipientRand)
	if err != nil {
		return nil, fmt.Errorf("encode the ticket: %w", err)
	}
	return b.send(new(big.Int), data)
}

// IsUsedTicket implements pm.Broker.
func (b *Broker) IsUsedTicket(ticket *pm.Ticket) (bool, error) {
	broker := contract.NewTicketBroker()
	var used bool
	read := new(batch)
	call(read, b.broker, broker.PackUsedTickets(ticket.Hash()), broker.UnpackUsedTickets, &used)
	return used, b.client.do(b.ctx, read)
}

// CheckTx implements pm.Broker.
func (b *Broker) CheckTx(tx *types.Transaction) error {
	_, err := b.account.Wait(b.ctx, tx.Hash())
	return err
}
