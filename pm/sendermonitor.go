package pm

import (
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

	// OnRedemption, unless nil, is told of each attempt to redeem a ticket. It is
	// called from several goroutines, must return soon and must not call Stop.
	OnRedemption func(RedemptionAttempt)
}

// RedemptionAttempt is how one attempt to redeem a winner went.
type RedemptionAttempt struct {
	// Sender is whose ticket it was.
	Sender common.Address

	// Ticket is the ticket, or nil when the store failed before there was one.
	Ticket *SignedTicket

	// TxHash is the transaction that settled the ticket; zero when there was none.
	TxHash common.Hash

	// Settled tells that the ticket will not be tried again.
	Settled bool

	// Err is nil when the ticket was redeemed.
	Err error
}

// LocalSenderMonitor is a SenderMonitor that redeems tickets itself. Its methods may
// be called from any goroutine, before Start too.
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

	// mu guards what follows. Nothing is sent or called while it is held.
	mu               sync.Mutex
	started, stopped bool
	senders          map[common.Address]*remoteSender
	watchers         map[common.Address]map[chan struct{}]struct{}
}

// remoteSender is what is remembered of a sender.
type remoteSender struct {
	// pending is the face value of redemptions in flight, in wei.
	pending *big.Int
	// lastAccess is when the sender was last asked for.
	lastAccess time.Time
	// queue is nil until there is a winner.
	queue *ticketQueue
	// stop ends the queue's goroutines; nil while they do not run.
	stop context.CancelFunc
}

// NewSenderMonitor returns a SenderMonitor that keeps winners in store. If that is a
// QueueStore, tickets from before a restart are redeemed from Start on; otherwise
// once their sender is asked for again.
func NewSenderMonitor(cfg *LocalSenderMonitorConfig, broker Broker, smgr SenderManager, tm TimeManager, store TicketStore) *LocalSenderMonitor {
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

// Stop ends every goroutine and subscription of the monitor and returns when they
// have ended. A call to the broker in progress is waited for, unless it is a wait
// that a TxWaiter can end.
func (sm *LocalSenderMonitor) Stop() {
	sm.mu.Lock()
	sm.stopped = true
	sm.mu.Unlock()
	sm.cancel()
	sm.subscriptions.Close()
	sm.wg.Wait()
}

// QueueTicket stores a winner, to be redeemed after its params have expired. When it
// returns nil the ticket is as safe as the store is.
func (sm *LocalSenderMonitor) QueueTicket(ticket *SignedTicket) error {
	if ticket == nil || ticket.Ticket == nil {
		return errors.New("no ticket to queue")
	}
	// First, so that the sender is not forgotten meanwhile.
	sm.remember(ticket.Sender)
	if err := sm.store.StoreWinningTicket(ticket); err != nil {
		return fmt.Errorf("store a winning ticket of %v: %w", ticket.Sender, err)
	}
	sm.openQueue(ticket.Sender)
	return nil
}

// ValidateSender fails with ErrSenderUnlocking when the sender can withdraw its funds
// in the round after the last initialized one, or before.
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
