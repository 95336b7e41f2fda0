package pm

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/event"
)

// Broker is the part of the TicketBroker contract that this package uses. Methods that return a
// transaction have sent it and not waited for it; CheckTx waits.
type Broker interface {
	// FundDepositAndReserve adds to the caller's deposit and reserve, in wei.
	FundDepositAndReserve(depositAmount, reserveAmount *big.Int) (*types.Transaction, error)

	// FundDeposit adds to the caller's deposit, in wei.
	FundDeposit(amount *big.Int) (*types.Transaction, error)

	// FundReserve adds to the caller's reserve, in wei.
	FundReserve(amount *big.Int) (*types.Transaction, error)

	// Unlock starts the unlock period, after which the caller can withdraw its
	// deposit and reserve.
	Unlock() (*types.Transaction, error)

	// CancelUnlock ends the unlock period without a withdrawal.
	CancelUnlock() (*types.Transaction, error)

	// Withdraw pays out the whole deposit and reserve.
	Withdraw() (*types.Transaction, error)

	// RedeemWinningTicket redeems a ticket: the contract checks it and pays its recipient. It
	// fails with ErrTicketUsed or ErrNoRoundBlockHash if that is the reason.
	RedeemWinningTicket(ticket *Ticket, sig []byte, recipientRand *big.Int) (*types.Transaction, error)

	// IsUsedTicket reports whether the ticket has been redeemed before.
	IsUsedTicket(ticket *Ticket) (bool, error)

	// CheckTx waits until the transaction is mined. It fails with ErrTxFailed if it reverted,
	// and with another error if its outcome is unknown.
	CheckTx(tx *types.Transaction) error
}

// TxWaiter is a Broker with a wait that a context can end. A SenderMonitor uses it if its
// broker has it, so that it can stop without delay.
type TxWaiter interface {
	// CheckTxContext is CheckTx until ctx ends.
	CheckTxContext(ctx context.Context, tx *types.Transaction) error
}

// SenderInfo is a sender's data in the TicketBroker.
type SenderInfo struct {
	// Deposit pays winning tickets, in wei.
	Deposit *big.Int

	// WithdrawRound is the round from which the sender can withdraw; 0 if no unlock is in
	// progress.
	WithdrawRound *big.Int

	// Reserve pays the part of a face value that exceeds the deposit.
	Reserve *ReserveInfo
}

// ReserveInfo is a sender's reserve.
type ReserveInfo struct {
	// FundsRemaining is what is left of the reserve, in wei.
	FundsRemaining *big.Int
	// ClaimedInCurrentRound is what recipients claimed of it in this round, in wei.
	ClaimedInCurrentRound *big.Int
}

// SenderManager reads senders' data from the contracts.
type SenderManager interface {
	// GetSenderInfo returns a sender's deposit, reserve and withdraw round.
	GetSenderInfo(addr common.Address) (*SenderInfo, error)

	// ClaimedReserve returns what claimant has claimed of reserveHolder's reserve
	// in the current round, in wei.
	ClaimedReserve(reserveHolder common.Address, claimant common.Address) (*big.Int, error)

	// Clear drops a sender's cached data.
	Clear(addr common.Address)

	// SubscribeReserveChange sends a sender's address when its info has changed.
	SubscribeReserveChange(sink chan<- common.Address) event.Subscription
}

// TimeManager has the protocol's time: rounds and L1 blocks.
type TimeManager interface {
	// LastInitializedRound returns the number of the last initialized round.
	LastInitializedRound() *big.Int

	// LastInitializedL1BlockHash returns the L1 block hash of that round.
	LastInitializedL1BlockHash() [32]byte

	// PreLastInitializedL1BlockHash returns the L1 block hash of the round before.
	PreLastInitializedL1BlockHash() [32]byte

	// GetTranscoderPoolSize returns the number of active recipients as of the last
	// initialized round.
	GetTranscoderPoolSize() *big.Int

	// LastSeenL1Block returns the newest L1 block number known.
	LastSeenL1Block() *big.Int

	// SubscribeRounds sends the NewRound event of each new round.
	SubscribeRounds(sink chan<- types.Log) event.Subscription

	// SubscribeL1Blocks sends each newly seen L1 block number.
	SubscribeL1Blocks(sink chan<- *big.Int) event.Subscription
}
