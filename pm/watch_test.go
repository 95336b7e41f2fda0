package pm

import (
	"errors"
	"math/big"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/event"
)

func TestBrokenSubscriptionsAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		breaking := &breakingTime{TimeManager: o.chain}
		o.tm = breaking
		o.Start()
		defer o.Stop()
		o.queue(o.win(o.client(), 1, 1010))
		for range 20 {
			pass(time.Minute)
		}
		synctest.Wait()
		o.mine(1010)
		o.wantRedeemed(1)
		if breaking.subscribed > 100 {
			t.Errorf("%d subscriptions in 20 minutes: it spins", breaking.subscribed)
		}
	})
}

func TestStopAtAnyMoment(t *testing.T) {
	for name, moment := range map[string]func(o *office){
		"never started":   func(o *office) {},
		"stopped already": func(o *office) { o.Start(); o.Stop() },
		"just started":    func(o *office) { o.Start(); o.Start() },
		"tickets wait":    func(o *office) { o.Start(); o.queue(o.win(o.client(), 1, 1010)) },
		"in the middle of a wait for a transaction": func(o *office) {
			o.broker = waitingBroker{o.chain}
			o.Start()
			o.queue(o.win(o.client(), 1, 1000), o.win(o.client(), 2, 1000))
		},
		"the store is full": func(o *office) {
			o.chain.failWith = func(*Ticket) error { return errOffline }
			o.Start()
			client := o.client()
			o.queue(o.win(client, 1, 1010), o.win(client, 2, 1010))
			o.store.setFail("store", errors.New("disk full"))
			o.mine(1010)
		},
		"events come in": func(o *office) {
			o.Start()
			client := o.client()
			o.queue(o.win(client, 1, 1010))
			for range 3 {
				go o.chain.blocks.Send(big.NewInt(1010))
				go o.chain.rounds.Send(types.Log{})
				go o.chain.reserves.Send(client.Account().Address)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			// The bubble fails the test if a goroutine is left.
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				moment(o)
				o.Stop()
				o.Start()
				o.store.setFail("store", nil)
				if err := o.QueueTicket(o.win(o.client(), 9, 1)); err != nil {
					t.Error(err)
				}
				o.chain.blocks.Send(big.NewInt(2000))
				o.Stop()
			})
		})
	}
}

// TestStopDuringARedemption: what is mined while the monitor stops is reported and recorded, and nothing
// else is redeemed then. A broker that is no TxWaiter cannot be told.
func TestStopDuringARedemption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		mined := make(chan struct{})
		o.chain.checkWith = func(*types.Transaction) error {
			<-mined
			return nil
		}
		o.Start()
		client := o.client()
		o.queue(o.win(client, 1, 1000), o.win(client, 2, 1000))
		go o.Stop()
		synctest.Wait()
		close(mined)
		o.Stop()
		o.wantRedeemed(1)
		o.wantWaiting(2)
		if len(o.attempts) != 1 || !o.attempts[0].Settled || o.attempts[0].Err != nil {
			t.Errorf("attempts are %+v", o.attempts)
		}
	})
}

// TestNoSubscriptionIsForgotten: what is unsubscribed at once, too, leaves nothing behind that
// holds up its source.
func TestNoSubscriptionIsForgotten(t *testing.T) {
	var feed event.Feed
	sink := make(chan int, 1)
	for range 10_000 {
		keepSubscribed(func() event.Subscription { return feed.Subscribe(sink) }).Unsubscribe()
		if feed.Send(1) != 0 {
			t.Fatal("a subscription is left")
		}
	}
}

// TestRestart: queued tickets are redeemed by the next monitor on the same store.
func TestRestart(t *testing.T) {
	for _, c := range []struct {
		name  string
		store func(*memoryStore) TicketStore
		// ask is set if the sender must request params first.
		ask bool
	}{
		{"TicketStore", func(s *memoryStore) TicketStore { return s }, true},
		{"QueueStore", func(s *memoryStore) TicketStore { return queueStore{s} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				client := o.client()
				o.queue(o.win(client, 1, 1010), o.win(client, 2, 1010))
				o.Stop()

				o.chain.set(func() { o.chain.block = big.NewInt(1010) })
				o.LocalSenderMonitor = o.monitor(c.store(o.store))
				o.Start()
				defer o.Stop()
				if c.ask {
					if _, err := o.MaxFloat(client.Account().Address); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				o.wantRedeemed(1, 2)
			})
		})
	}
}

func TestRestartWithAStoreThatFailsAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.queue(o.win(o.client(), 1, 1010))
		o.store.setFail("senders", errOffline)
		o.LocalSenderMonitor = o.monitor(queueStore{o.store})
		o.Start()
		defer o.Stop()
		synctest.Wait()
		if !errors.Is(o.lastErr(), errOffline) {
			t.Errorf("error is %v", o.lastErr())
		}
		o.store.setFail("senders", nil)
		o.mine(1010)
		o.wantRedeemed(1)
	})
}

func TestIdleSendersAreForgotten(t *testing.T) {
	inOffice(t, func(o *office) {
		busy, idle := o.client(), o.client()
		o.queue(o.win(busy, 1, 1010), o.win(idle, 2, 1000))
		o.wantRedeemed(2)
		if _, err := o.MaxFloat(RandAddress()); err != nil {
			t.Fatal(err)
		}
		remembered := func() int {
			synctest.Wait()
			o.LocalSenderMonitor.mu.Lock()
			defer o.LocalSenderMonitor.mu.Unlock()
			return len(o.senders)
		}
		pass(4 * time.Minute)
		if n := remembered(); n != 3 {
			t.Errorf("%d senders are remembered, want 3", n)
		}
		pass(2 * time.Minute)
		if n := remembered(); n != 1 {
			t.Errorf("%d senders are remembered, want the one whose ticket waits", n)
		}
		if cleared := read(o.chain, func() []common.Address { return o.chain.cleared }); !slices.Contains(cleared, idle.Account().Address) || slices.Contains(cleared, busy.Account().Address) {
			t.Errorf("cleared are %v", cleared)
		}
		o.queue(o.win(idle, 3, 1000)) // it becomes active again
		o.wantRedeemed(2, 3)
	})
}
