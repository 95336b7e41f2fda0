package pm

import (
	"math/big"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

func TestPendingCountsAgainstMaxFloat(t *testing.T) {
	inOffice(t, func(o *office) {
		client := o.client()
		sender := client.Account().Address
		mined := make(chan struct{})
		o.chain.checkWith = func(*types.Transaction) error { <-mined; return nil }
		maxFloat := func() string {
			t.Helper()
			v, err := o.MaxFloat(sender)
			if err != nil {
				t.Fatal(err)
			}
			return v.String()
		}
		sink := make(chan struct{}, 10)
		sub := o.SubscribeMaxFloatChange(sender, sink)
		defer sub.Unsubscribe()
		o.chain.set(func() { o.chain.senders[sender].Reserve.FundsRemaining = ether(300) }) // a share of 3 ETH
		if got := maxFloat(); got != ether(3).String() {
			t.Errorf("max float is %s, want 3 ETH", got)
		}
		o.queue(o.win(client, 1, 1000))
		if len(sink) != 1 {
			t.Errorf("%d signals for what is in flight, want 1", len(sink))
		}
		if got := maxFloat(); got != ether(2).String() {
			t.Errorf("with 1 ETH in flight max float is %s, want 2 ETH", got)
		}
		for _, c := range []struct{ deposit, want int64 }{{3_000_000_000_000_000_000, 3}, {2_999_999_999_999_999_999, 2}} {
			o.chain.set(func() { o.chain.senders[sender].Deposit = big.NewInt(c.deposit) })
			if got := maxFloat(); got != ether(c.want).String() {
				t.Errorf("with a deposit of %d wei max float is %s, want %d ETH", c.deposit, got, c.want)
			}
		}
		o.chain.set(func() { o.chain.senders[sender].Reserve.FundsRemaining = ether(50) })
		if got := maxFloat(); got != "0" {
			t.Errorf("with more in flight than the share max float is %s, want 0", got)
		}
		close(mined)
		synctest.Wait()
		if len(sink) != 2 {
			t.Errorf("%d signals, want another when nothing is in flight", len(sink))
		}
		if got := maxFloat(); got != "500000000000000000" {
			t.Errorf("max float is %s, want 0.5 ETH", got)
		}
		if cleared := read(o.chain, func() []common.Address { return o.chain.cleared }); !slices.Contains(cleared, sender) {
			t.Error("the sender's cached data is still used")
		}
	})
}

func TestMaxFloatIsWhatCanBeClaimed(t *testing.T) {
	o := newOffice(t)
	sender := o.client().Account().Address
	for _, c := range []struct {
		funds, claimed, mine, pool, want int64
	}{
		{100, 0, 0, 10, 10},
		{109, 0, 0, 10, 10},
		{60, 40, 0, 10, 10},
		{60, 40, 7, 10, 3},
		{60, 40, 11, 10, 0},
		{100, 0, 0, 0, 0},
	} {
		o.chain.pool = big.NewInt(c.pool)
		o.chain.senders[sender].Reserve = &ReserveInfo{big.NewInt(c.funds), big.NewInt(c.claimed)}
		o.chain.claimed[o.addr] = big.NewInt(c.mine)
		if got, err := o.MaxFloat(sender); err != nil || got.Int64() != c.want {
			t.Errorf("%+v: max float is %v (%v)", c, got, err)
		}
	}
	o.chain.senders[sender] = &SenderInfo{}
	if got, err := o.MaxFloat(sender); err != nil || got.Sign() != 0 {
		t.Errorf("without data max float is %v (%v), want 0", got, err)
	}
}

func TestMaxFloatSubscriptions(t *testing.T) {
	inOffice(t, func(o *office) {
		sender, other := RandAddress(), RandAddress()
		sink := make(chan struct{}, 10)
		count := func(want int) {
			t.Helper()
			synctest.Wait()
			if got := len(sink); got != want {
				t.Errorf("%d signals, want %d", got, want)
			}
		}
		dead := make(chan struct{}) // without a reader
		deadSub := o.SubscribeMaxFloatChange(sender, dead)
		sub := o.SubscribeMaxFloatChange(sender, sink)
		o.chain.reserves.Send(sender)
		count(1)
		o.chain.reserves.Send(other)
		count(1)
		o.chain.rounds.Send(types.Log{})
		count(2)
		sub.Unsubscribe()
		sub.Unsubscribe()
		o.chain.reserves.Send(sender)
		count(2)
		select {
		case <-dead:
		case <-time.After(time.Second):
			t.Error("a slow subscriber lost its signal")
		}
		deadSub.Unsubscribe()
		if len(o.watchers) != 0 {
			t.Errorf("%d senders are still watched", len(o.watchers))
		}
	})
}

func TestSubscriptionsEndWithTheMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		sub := o.SubscribeMaxFloatChange(RandAddress(), make(chan struct{}))
		o.Start()
		o.Stop()
		<-sub.Err()
		late := o.SubscribeMaxFloatChange(RandAddress(), make(chan struct{}))
		<-late.Err()
		late.Unsubscribe()
		sub.Unsubscribe()
	})
}
