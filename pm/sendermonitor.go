package pm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/event"
)

// SenderMonitor watches a recipient's senders and redeems their winners.
type SenderMonitor interface {
	// Start begins to watch and to redeem.
	Start()

	// Stop ends what Start began.
	Stop()

	// QueueTicket stores a winner until it can be redeemed.
	QueueTicket(ticket *SignedTicket) error

	// MaxFloat returns the highest face value of one ticket of the sender, in wei.
	MaxFloat(addr common.Address) (*big.Int, error)

	// ValidateSender fails with ErrSenderUnlocking if the sender can withdraw its funds in the
	// round after the last initialized one, or before.
	ValidateSender(addr common.Address) error
}

// LocalSenderMonitorConfig configures a LocalSenderMonitor.
type LocalSenderMonitorConfig struct {
	// Claimant is the recipient that claims from senders' reserves.
	Claimant common.Address

	// CleanupInterval is how often inactive senders are forgotten; 0 or less is never.
	CleanupInterval time.Duration

	// TTL is for how many seconds a sender is remembered after its last use.
	TTL int

	// RedeemGas is the expected gas of a ticket's redemption.
	RedeemGas int

	// SuggestGasPrice returns the gas price for redemptions, in wei per unit of gas. Without it
	// nothing is redeemed: OnRedemption gets the reason.
	SuggestGasPrice func(context.Context) (*big.Int, error)

	// RPCTimeout limits each call of SuggestGasPrice; 0 or less is no limit.
	RPCTimeout time.Duration

	// OnRedemption, unless nil, is called after each attempt to redeem a ticket, from several
	// goroutines. It must return soon and must not call Stop.
	OnRedemption func(RedemptionAttempt)
}

// RedemptionAttempt is the result of one attempt to redeem a winner.
type RedemptionAttempt struct {
	// Sender is the ticket's sender.
	Sender common.Address
	// Ticket is the ticket, or nil if the store failed.
	Ticket *SignedTicket
	// TxHash is the transaction that settled the ticket; zero if there was none.
	TxHash common.Hash
	// Settled is set if the ticket will not be retried.
	Settled bool
	// Err is nil if the ticket was redeemed.
	Err error
}

// LocalSenderMonitor is a SenderMonitor that redeems tickets itself. Its methods may be called
// from any goroutine, also before Start.
type LocalSenderMonitor struct {
	cfg    LocalSenderMonitorConfig
	broker Broker
	smgr   SenderManager
	tm     TimeManager
	store  TicketStore

	ctx           context.Context // ends at Stop
	cancel        context.CancelFunc
	wg            sync.WaitGroup
	subscriptions event.SubscriptionScope
	newestBlock   atomic.Pointer[big.Int] // of the last block event

	// mu guards the fields below. Nothing is sent or called while it is locked.
	mu               sync.Mutex
	started, stopped bool
	senders          map[common.Address]*remoteSender
	watchers         map[common.Address]map[chan struct{}]struct{}
}

// remoteSender is the remembered data of a sender.
type remoteSender struct {
	// pending is the face value of redemptions in flight, in wei.
	pending *big.Int
	// lastAccess is when the sender was last used.
	lastAccess time.Time
	// queue is nil before the first winner.
	queue *ticketQueue
	// stop ends the queue's goroutines; nil while they do not run.
	stop context.CancelFunc
}

// NewSenderMonitor returns a SenderMonitor that keeps winners in store, which must be set. If it is a
// QueueStore, tickets from before a restart are redeemed from Start on; otherwise once their
// sender is used again. A nil cfg is the zero one. Without a broker nothing is redeemed.
func NewSenderMonitor(cfg *LocalSenderMonitorConfig, broker Broker, smgr SenderManager, tm TimeManager, store TicketStore) *LocalSenderMonitor {
	cfg = cmp.Or(cfg, new(LocalSenderMonitorConfig))
	ctx, cancel := context.WithCancel(context.Background())
	return &LocalSenderMonitor{
		cfg:      *cfg,
		broker:   broker,
		smgr:     smgr,
		tm:       tm,
		store:    store,
		ctx:      ctx,
		cancel:   cancel,
		senders:  make(map[common.Address]*remoteSender),
		watchers: make(map[common.Address]map[chan struct{}]struct{}),
	}
}

// Start begins to redeem queued tickets and to notify subscribers. A monitor starts
// once; a stopped one stays stopped.
func (sm *LocalSenderMonitor) Start() {
	sm.mu.Lock()
	if sm.started || sm.stopped {
		sm.mu.Unlock()
		return
	}
	sm.started = true
	sm.wg.Add(1)
	for _, sender := range sm.senders {
		sm.runQueue(sender)
	}
	sm.mu.Unlock()

	// Subscribed before Start returns, so that no later event is missed.
	events := sm.subscribe()
	go func() {
		defer sm.wg.Done()
		sm.watch(events)
	}()
}

// Stop ends every goroutine and subscription of the monitor and waits for them. It also waits
// for a call to the broker in progress, unless a TxWaiter can end it.
func (sm *LocalSenderMonitor) Stop() {
	sm.mu.Lock()
	sm.stopped = true
	sm.mu.Unlock()
	sm.cancel()
	sm.subscriptions.Close()
	sm.wg.Wait()
}

// QueueTicket stores a winner, to be redeemed after its params have expired. It returns nil
// once the store has the ticket.
func (sm *LocalSenderMonitor) QueueTicket(ticket *SignedTicket) error {
	if ticket == nil || ticket.Ticket == nil {
		return errors.New("no ticket to queue")
	}
	// First, so that the sender is not forgotten before.
	sm.remember(ticket.Sender)
	if err := sm.store.StoreWinningTicket(ticket.clone()); err != nil {
		return fmt.Errorf("store a winning ticket of %v: %w", ticket.Sender, err)
	}
	sm.openQueue(ticket.Sender)
	return nil
}

// ValidateSender fails with ErrSenderUnlocking if the sender can withdraw its funds in the
// round after the last initialized one, or before.
func (sm *LocalSenderMonitor) ValidateSender(addr common.Address) error {
	info, err := sm.senderInfo(addr)
	if err != nil {
		return err
	}
	if err := checkUnlock(info, sm.tm.LastInitializedRound()); err != nil {
		return fmt.Errorf("sender %v: %w", addr, err)
	}
	return nil
}
