package call

import (
	"context"
	"errors"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// Purse makes payments: an Account, or a remote signer.
type Purse interface {
	// Sender is the account that pays.
	Sender() common.Address

	// Check fails for a payment that would be refused. It makes and records nothing.
	Check(ctx context.Context, due Due) error

	// Pay records and signs a payment, or returns that which was recorded under the same request
	// ID and number before. When it returns, the payment may be sent.
	Pay(ctx context.Context, due Due) (*Payment, error)

	// Recorded returns the payment of a number that was recorded before; nil for none.
	Recorded(ctx context.Context, number int) (*Payment, error)

	// Begin records that a payment is about to be sent, and End how that ended: what the
	// orchestrator said, if anything.
	Begin(ctx context.Context, p *Payment) error
	End(ctx context.Context, p *Payment, end store.State, said string) error

	// Drop removes a recorded payment that was never sent and cannot be sent any more.
	Drop(ctx context.Context, p *Payment) error
}

// ownPurse is an Account, or what embeds one: what is due is billed here, by the Caller's clock. A remote
// signer bills by its own.
type ownPurse interface {
	Purse
	check() error
}

// Due is a payment that is due.
type Due struct {
	*Challenge

	// Number counts the call's payments from 0.
	Number int

	// Before is the session so far, nil for the first payment; At is the time until which the
	// payment pays, and Bill what it comes to.
	Before *live.Session
	At     time.Time
	Bill   *live.Bill
}

// Payment is one payment of a call.
type Payment struct {
	*Challenge

	Number  int
	Headers pay.Headers

	// Tickets are worth Paid wei together; they pay for Units at a Fee in wei.
	Tickets   uint32
	TicketEV  *big.Rat
	Units     int64
	Fee, Paid *big.Rat

	// Session is the session after it.
	Session *live.Session

	// Record is its record; nil without a request ID.
	Record *store.Record

	// tickets are an Account's.
	tickets *pay.Tickets
}

// sentBefore reports whether the payment may have left in an earlier delivery.
func (p *Payment) sentBefore() bool { return p.Record != nil && p.Record.State != store.Reserved }

// errNotRecorded is returned by a Purse without records.
var errNotRecorded = errors.New("the payment has no record")
