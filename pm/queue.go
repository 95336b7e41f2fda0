package pm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
)

// RedeemableEmitter emits tickets that are ready to be redeemed. The channel's type is
// unexported, as in go-livepeer's package: other packages can neither implement the interface
// nor answer on the channel. It documents what the queues and the redemption loop inside a
// [LocalSenderMonitor] exchange. A program that redeems by itself calls
// [Recipient].RedeemWinningTicket, or reads a [TicketStore].
type RedeemableEmitter interface {
	// Redeemable returns the channel of the tickets. The receiver answers each before the next
	// one is sent.
	Redeemable() chan *redemption
}

// redemption is a ticket to redeem and the place for the outcome.
type redemption struct {
	*SignedTicket
	// result has room for the one answer.
	result chan redemptionResult
}

// redemptionResult is the result of an attempt to redeem.
type redemptionResult struct {
	// txHash is zero if no transaction was mined.
	txHash common.Hash
	err    error
}

// settles reports whether the ticket need not be retried.
func (r redemptionResult) settles() bool {
	return r.err == nil || errors.Is(r.err, ErrTicketUsed) || errors.Is(r.err, ErrTxFailed) || errors.Is(r.err, ErrNoRoundBlockHash)
}

// redeemableRounds is for how many rounds after its creation round a ticket is retried.
const redeemableRounds = 2

// minCreationRound returns the lowest creation round that is still retried.
func minCreationRound(tm TimeManager) int64 {
	lowest := new(big.Int).Sub(num.OrZero(tm.LastInitializedRound()), big.NewInt(redeemableRounds))
	if lowest.Sign() < 0 || !lowest.IsInt64() {
		return 0
	}
	return lowest.Int64()
}

// ticketQueue is one sender's queue of winners. They wait in the store, the earliest first,
// until their params have expired. It implements RedeemableEmitter.
type ticketQueue struct {
	sender     common.Address
	store      TicketStore
	tm         TimeManager
	redeemable chan *redemption
	lastBlock  func() *big.Int
	report     func(RedemptionAttempt)
	// wake has room for one signal, so that a signal during a pass is kept.
	wake chan struct{}
	// busy is set during a pass, when a ticket may be missing from the store.
	busy atomic.Bool
}

func (q *ticketQueue) Redeemable() chan *redemption { return q.redeemable }

// poke requests a pass. It never blocks.
func (q *ticketQueue) poke() { signal(q.wake) }

// run makes a pass for each poke, until ctx ends.
func (q *ticketQueue) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
			q.busy.Store(true)
			if err := q.pass(ctx); err != nil && ctx.Err() == nil {
				q.report(RedemptionAttempt{Sender: q.sender, Err: err})
			}
			q.busy.Store(false)
		}
	}
}

// pass tries each waiting ticket once, from the front, up to one whose params have not expired
// yet. It fails if the store does, or with ctx's error.
func (q *ticketQueue) pass(ctx context.Context) error {
	minRound := minCreationRound(q.tm)
	count, err := q.store.WinningTicketCount(q.sender, minRound)
	if err != nil {
		return fmt.Errorf("count winning tickets: %w", err)
	}
	for waiting := count; waiting > 0; waiting-- {
		ticket, err := q.store.SelectEarliestWinningTicket(q.sender, minRound)
		if err != nil {
			return fmt.Errorf("select the earliest winning ticket: %w", err)
		}
		if ticket == nil || q.lastBlock().Cmp(num.OrZero(ticket.ParamsExpirationBlock)) < 0 {
			return nil
		}
		result, err := q.emit(ctx, ticket)
		if err != nil {
			return err
		}
		q.report(RedemptionAttempt{Sender: q.sender, Ticket: ticket, TxHash: result.txHash, Settled: result.settles(), Err: result.err})
		switch {
		case result.settles():
			if err := q.store.MarkWinningTicketRedeemed(ticket, result.txHash); err != nil {
				return fmt.Errorf("mark a winning ticket as redeemed: %w", err)
			}
		case count > 1:
			if err := q.requeue(ctx, ticket); err != nil {
				return fmt.Errorf("move a winning ticket to the end of the queue: %w", err)
			}
		}
	}
	return nil
}

// emit sends a ticket to the receiver and returns its answer, or ctx's error. The receiver answers
// after ctx has ended, too: what it has redeemed by then is settled.
func (q *ticketQueue) emit(ctx context.Context, ticket *SignedTicket) (redemptionResult, error) {
	r := &redemption{ticket, make(chan redemptionResult, 1)}
	select {
	case q.redeemable <- r:
	case <-ctx.Done():
		return redemptionResult{}, ctx.Err()
	}
	result := <-r.result
	if err := ctx.Err(); err != nil && !result.settles() {
		return redemptionResult{}, err
	}
	return result, nil
}

// requeue moves a ticket to the end of the queue.
func (q *ticketQueue) requeue(ctx context.Context, ticket *SignedTicket) error {
	if store, ok := q.store.(QueueStore); ok {
		return store.RequeueWinningTicket(ticket)
	}
	if err := q.store.RemoveWinningTicket(ticket); err != nil {
		return err
	}
	// Only this goroutine has the ticket until the store has it again: nothing else matters.
	for {
		err := q.store.StoreWinningTicket(ticket)
		if err == nil {
			return nil
		}
		q.report(RedemptionAttempt{Sender: q.sender, Ticket: ticket, Err: fmt.Errorf("return a winning ticket to the store: %w", err)})
		select {
		case <-ctx.Done():
			return err
		case <-q.wake:
		}
	}
}
