package pm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

func TestWinnersAreRedeemedOnceInOrderAfterTheyExpire(t *testing.T) {
	inOffice(t, func(o *office) {
		client := o.client()
		o.queue(o.win(client, 1, 1010), o.win(client, 2, 1010), o.win(client, 3, 1020))
		o.mine(1009)
		o.wantRedeemed()
		o.mine(1010)
		o.wantRedeemed(1, 2)
		o.wantWaiting(3)
		o.mine(1011)
		o.wantRedeemed(1, 2)
		o.mine(1020)
		o.wantRedeemed(1, 2, 3)
		o.wantWaiting()
		if hash, ok := o.store.settledTx(3); !ok || hash == (common.Hash{}) {
			t.Errorf("ticket 3 is settled by %v", hash)
		}
		o.queue(o.win(client, 4, 1020)) // expired already: no block is waited for
		o.wantRedeemed(1, 2, 3, 4)
		o.mu.Lock()
		defer o.mu.Unlock()
		if last := o.attempts[3]; len(o.attempts) != 4 || !last.Settled || last.Err != nil || last.Ticket.SenderNonce != 4 || last.TxHash == (common.Hash{}) {
			t.Errorf("attempts are %+v", o.attempts)
		}
	})
}

// TestAQueuedTicketIsTheMonitors: neither the caller of QueueTicket nor OnRedemption can change what is
// redeemed, and marked as redeemed in the store.
func TestAQueuedTicketIsTheMonitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.LocalSenderMonitor = o.monitor(o.store)
		seen := o.cfg.OnRedemption
		o.cfg.OnRedemption = func(a RedemptionAttempt) {
			seen(a)
			a.Ticket.SenderNonce = 9
		}
		o.Start()
		defer o.Stop()
		ticket := o.win(o.client(), 1, 1010)
		o.queue(ticket)
		ticket.SenderNonce, ticket.Sig[0] = 7, ticket.Sig[0]^1
		ticket.FaceValue.SetInt64(0)
		ticket.RecipientRand.SetInt64(0)
		o.mine(1010)
		o.wantRedeemed(1)
		o.wantWaiting()
		if _, ok := o.store.settledTx(1); !ok {
			t.Error("another ticket is settled")
		}
	})
}

// TestEventMayBeAhead: a block event counts before the TimeManager has the block.
func TestEventMayBeAhead(t *testing.T) {
	inOffice(t, func(o *office) {
		o.queue(o.win(o.client(), 1, 1010))
		o.chain.blocks.Send(big.NewInt(1010))
		synctest.Wait()
		o.wantRedeemed(1)
	})
}

func TestRetryableFailuresBlockNoOthers(t *testing.T) {
	for _, c := range []struct {
		name  string
		store func(*memoryStore) TicketStore
	}{
		{"TicketStore", func(s *memoryStore) TicketStore { return s }},
		{"QueueStore", func(s *memoryStore) TicketStore { return queueStore{s} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.LocalSenderMonitor = o.monitor(c.store(o.store))
				o.Start()
				defer o.Stop()
				o.chain.failWith = func(ticket *Ticket) error {
					if ticket.SenderNonce == 1 {
						return errOffline
					}
					return nil
				}
				client := o.client()
				o.queue(o.win(client, 1, 1010), o.win(client, 2, 1010), o.win(client, 3, 1010))
				o.mine(1010)
				o.wantRedeemed(2, 3)
				o.wantWaiting(1)
				o.mine(1011)
				o.wantWaiting(1) // alone, it is retried in its place
				if !errors.Is(o.lastErr(), errOffline) {
					t.Errorf("error is %v", o.lastErr())
				}
				o.chain.set(func() { o.chain.failWith = nil })
				o.mine(1012)
				o.wantRedeemed(2, 3, 1)
				o.wantWaiting()
			})
		})
	}
}

// TestQueueSurvivesAStoreThatFails: a ticket that was taken out to be requeued is not lost.
func TestQueueSurvivesAStoreThatFails(t *testing.T) {
	inOffice(t, func(o *office) {
		o.chain.failWith = func(*Ticket) error { return errOffline }
		client := o.client()
		o.queue(o.win(client, 1, 1010), o.win(client, 2, 1010))
		diskFull := errors.New("disk full")
		o.store.setFail("store", diskFull)
		o.mine(1010)
		o.wantWaiting(2)
		if !errors.Is(o.lastErr(), diskFull) {
			t.Errorf("error is %v, want %v", o.lastErr(), diskFull)
		}
		pass(time.Hour) // many cleanups
		o.store.setFail("store", nil)
		o.chain.set(func() { o.chain.failWith = nil })
		o.mine(1011)
		o.mine(1012)
		if got := len(read(o.chain, func() []uint32 { return o.chain.redeemed })); got != 2 {
			t.Errorf("%d tickets were redeemed, want 2", got)
		}
		o.wantWaiting()

		for i, method := range []string{"count", "select", "mark", "remove"} {
			o.store.setFail(method, diskFull)
			o.chain.set(func() {
				o.chain.failWith = func(*Ticket) error {
					if method == "remove" {
						return errOffline
					}
					return nil
				}
			})
			first := uint32(10 + 2*i)
			o.queue(o.win(client, first, 1010), o.win(client, first+1, 1010))
			o.mine(int64(1020 + i))
			if !errors.Is(o.lastErr(), diskFull) {
				t.Errorf("%s: error is %v, want %v", method, o.lastErr(), diskFull)
			}
			o.store.setFail(method, nil)
			o.chain.set(func() { o.chain.failWith = nil })
			o.mine(int64(1020 + i))
			o.wantWaiting()
		}
	})
}

func TestWhatSettlesATicket(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(o *office, ticket *SignedTicket)
		want    error
		settled bool
	}{
		{"used before", func(o *office, ticket *SignedTicket) { o.chain.used[ticket.Hash()] = true }, ErrTicketUsed, true},
		{"used meanwhile", func(o *office, _ *SignedTicket) {
			o.chain.failWith = func(*Ticket) error { return fmt.Errorf("reverted: %w", ErrTicketUsed) }
		}, ErrTicketUsed, true},
		{"no block hash", func(o *office, _ *SignedTicket) {
			o.chain.failWith = func(*Ticket) error { return fmt.Errorf("reverted: %w", ErrNoRoundBlockHash) }
		}, ErrNoRoundBlockHash, true},
		{"failed receipt", func(o *office, _ *SignedTicket) {
			o.chain.checkWith = func(*types.Transaction) error { return fmt.Errorf("status 0: %w", ErrTxFailed) }
		}, ErrTxFailed, true},
		{"receipt not seen", func(o *office, _ *SignedTicket) {
			o.chain.checkWith = func(*types.Transaction) error { return errOffline }
		}, errOffline, false},
		{"node offline", func(o *office, _ *SignedTicket) { o.chain.failWith = func(*Ticket) error { return errOffline } }, errOffline, false},
		{"sender cannot be seen", func(o *office, _ *SignedTicket) { o.chain.infoErr = errOffline }, errOffline, false},
		{"recipient not active", func(o *office, _ *SignedTicket) { o.store.inactive = true }, ErrRecipientNotActive, false},
		{"activity not known", func(o *office, _ *SignedTicket) { o.store.setFail("active", errOffline) }, errOffline, false},
		{"face value is the cost", func(o *office, _ *SignedTicket) {
			o.chain.gasPrice = new(big.Int).Quo(ether(1), big.NewInt(1_200_000)) // rounded down
			o.cfg.RedeemGas = 1_200_001
		}, ErrNotWorthGas, false},
		{"funds are below the cost", func(o *office, ticket *SignedTicket) {
			o.chain.gasPrice = big.NewInt(1_000_000_000) // 0.0012 ETH
			info := o.chain.senders[ticket.Sender]
			info.Deposit = big.NewInt(1_100_000_000_000_000)
			info.Reserve.FundsRemaining = big.NewInt(10_000_000_000_000_000) // a share of 0.0001 ETH
		}, ErrNotWorthGas, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				ticket := o.win(o.client(), 1, 1010)
				c.prepare(o, ticket)
				o.Start()
				defer o.Stop()
				o.queue(ticket)
				o.mine(1010)
				if !errors.Is(o.lastErr(), c.want) {
					t.Errorf("error is %v, want %v", o.lastErr(), c.want)
				}
				if _, settled := o.store.settledTx(1); settled != c.settled {
					t.Errorf("settled is %v, want %v", settled, c.settled)
				}
				tried := len(o.attempts)
				o.mine(1011)
				if again := len(o.attempts) > tried; again == c.settled {
					t.Errorf("tried again: %v", again)
				}
			})
		})
	}
}

func TestRedemptionWantsARecentRound(t *testing.T) {
	inOffice(t, func(o *office) {
		client := o.client()
		o.chain.set(func() { o.chain.round = big.NewInt(13) })
		o.queue(o.win(client, 1, 1010), o.win(client, 2, 1010, func(ticket *Ticket) { ticket.CreationRound = 11 }))
		o.mine(1010)
		o.wantRedeemed(2)
		o.wantWaiting(1)
	})
}

func TestGasPriceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.cfg.SuggestGasPrice = func(ctx context.Context) (*big.Int, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		o.Start()
		defer o.Stop()
		o.queue(o.win(o.client(), 1, 1000))
		pass(2 * time.Second)
		synctest.Wait()
		if !errors.Is(o.lastErr(), context.DeadlineExceeded) {
			t.Errorf("error is %v", o.lastErr())
		}
	})
}

func TestQueueTicketRefusesWhatIsNoTicket(t *testing.T) {
	o := newOffice(t)
	for _, ticket := range []*SignedTicket{nil, {}} {
		if err := o.QueueTicket(ticket); err == nil {
			t.Errorf("%v is queued", ticket)
		}
	}
	o.store.setFail("store", errOffline)
	if err := o.QueueTicket(o.win(o.client(), 1, 1)); !errors.Is(err, errOffline) {
		t.Errorf("error is %v, want %v", err, errOffline)
	}
}

// TestMonitorUnderLoad is for the race detector: everything at once.
func TestMonitorUnderLoad(t *testing.T) {
	inOffice(t, func(o *office) {
		var wg sync.WaitGroup
		for i := range 8 {
			client := o.client()
			sender := client.Account().Address
			tickets := []*SignedTicket{o.win(client, uint32(100+i), 1005), o.win(client, uint32(200+i), 1006)}
			wg.Go(func() {
				sub := o.SubscribeMaxFloatChange(sender, make(chan struct{}))
				defer sub.Unsubscribe()
				for _, ticket := range tickets {
					if err := o.QueueTicket(ticket); err != nil {
						t.Error(err)
					}
					if _, err := o.MaxFloat(sender); err != nil {
						t.Error(err)
					}
					if err := o.ValidateSender(sender); err != nil {
						t.Error(err)
					}
					o.chain.reserves.Send(sender)
				}
			})
		}
		for block := range int64(10) {
			o.chain.mine(1000 + block)
		}
		wg.Wait()
		o.mine(1010)
		if got := len(read(o.chain, func() []uint32 { return o.chain.redeemed })); got != 16 {
			t.Errorf("%d tickets were redeemed, want 16", got)
		}
	})
}
