package pm

import (
	"context"
	"math/big"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// office is a sender monitor with its chain, in a synctest bubble, whose clock only moves while
// all goroutines wait.
type office struct {
	t     *testing.T
	chain *testChain
	store *memoryStore
	addr  common.Address
	*LocalSenderMonitor

	mu       sync.Mutex
	attempts []RedemptionAttempt
}

// inOffice runs a test with a started monitor and stops it.
func inOffice(t *testing.T, test func(o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.Start()
		test(o)
		o.Stop()
	})
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, chain: newTestChain(), store: &memoryStore{}, addr: RandAddress()}
	o.LocalSenderMonitor = o.monitor(o.store)
	return o
}

func (o *office) monitor(store TicketStore) *LocalSenderMonitor {
	return NewSenderMonitor(&LocalSenderMonitorConfig{
		Claimant:        o.addr,
		CleanupInterval: time.Minute,
		TTL:             300,
		RedeemGas:       1_200_000,
		SuggestGasPrice: func(context.Context) (*big.Int, error) { return o.chain.GasPrice(), nil },
		RPCTimeout:      time.Second,
		OnRedemption: func(a RedemptionAttempt) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.attempts = append(o.attempts, a)
		},
	}, o.chain, o.chain, o.chain, store)
}

// client is a funded sender.
func (o *office) client() keySigner {
	signer := otherSigner(o.t)
	o.chain.fund(signer.Account().Address)
	return signer
}

// win returns a winner of 1 ETH that expires at a block.
func (o *office) win(signer keySigner, nonce uint32, expiration int64, change ...func(*Ticket)) *SignedTicket {
	o.t.Helper()
	recipientRand := new(big.Int).SetUint64(uint64(nonce))
	ticket := &Ticket{
		Recipient:              o.addr,
		Sender:                 signer.Account().Address,
		FaceValue:              ether(1),
		WinProb:                maxWinProb(),
		SenderNonce:            nonce,
		RecipientRandHash:      recipientRandHash(recipientRand),
		CreationRound:          10,
		CreationRoundBlockHash: common.Hash{0xaa},
		ParamsExpirationBlock:  big.NewInt(expiration),
	}
	for _, f := range change {
		f(ticket)
	}
	sig, err := signer.Sign(ticket.Hash().Bytes())
	if err != nil {
		o.t.Fatal(err)
	}
	return &SignedTicket{ticket, sig, recipientRand}
}

func (o *office) queue(tickets ...*SignedTicket) {
	o.t.Helper()
	for _, ticket := range tickets {
		if err := o.QueueTicket(ticket); err != nil {
			o.t.Fatal(err)
		}
	}
	synctest.Wait()
}

// pass lets time pass on the bubble's clock.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// mine moves the chain and waits until all goroutines wait.
func (o *office) mine(block int64) {
	o.chain.mine(block)
	synctest.Wait()
}

func (o *office) wantRedeemed(nonces ...uint32) {
	o.t.Helper()
	if got := read(o.chain, func() []uint32 { return slices.Clone(o.chain.redeemed) }); !slices.Equal(got, nonces) {
		o.t.Errorf("redeemed are %v, want %v", got, nonces)
	}
}

func (o *office) wantWaiting(nonces ...uint32) {
	o.t.Helper()
	if got := o.store.nonces(); !slices.Equal(got, nonces) {
		o.t.Errorf("waiting are %v, want %v", got, nonces)
	}
}

// lastErr returns the error of the newest attempt.
func (o *office) lastErr() error {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.attempts) == 0 {
		o.t.Fatal("there was no attempt")
	}
	return o.attempts[len(o.attempts)-1].Err
}
