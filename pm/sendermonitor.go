package pm

import (
	"context"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// SenderMonitor watches the senders that pay a recipient and redeems their winners.
type SenderMonitor interface {
	// Start begins to watch and to redeem.
	Start()

	// Stop ends what Start began.
	Stop()

	// QueueTicket stores a winner until it can be redeemed.
	QueueTicket(ticket *SignedTicket) error

	// MaxFloat returns the most that one ticket of the sender may be worth, in wei.
	MaxFloat(addr common.Address) (*big.Int, error)

	// ValidateSender fails with ErrSenderUnlocking when the sender can withdraw its
	// funds in the round after the last initialized one, or before.
	ValidateSender(addr common.Address) error
}

// LocalSenderMonitorConfig configures a LocalSenderMonitor.
type LocalSenderMonitorConfig struct {
	// Claimant is the recipient whose claims on senders' reserves count.
	Claimant common.Address

	// CleanupInterval is how often senders that are no longer active are forgotten;
	// 0 is never.
	CleanupInterval time.Duration

	// TTL is for how many seconds a sender is remembered after it was last asked for.
	TTL int

	// RedeemGas is what the redemption of a ticket is expected to cost, in gas.
	RedeemGas int

	// SuggestGasPrice returns the gas price to redeem at, in wei a unit of gas.
	SuggestGasPrice func(context.Context) (*big.Int, error)

	// RPCTimeout bounds each call of SuggestGasPrice; 0 is no bound.
	RPCTimeout time.Duration
}
