//go:build linux || darwin

package agent

import (
	"context"
	"errors"
	"math/big"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// becomes changes what the chain says.
func (c *chainAt) becomes(facts pm.Facts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.facts = facts
}

// unfunded is a sender without a deposit and a reserve.
func unfunded() pm.Facts {
	facts := goodFacts()
	facts.Sender.Deposit, facts.Sender.Reserve.FundsRemaining = new(big.Int), new(big.Int)
	return facts
}

// quiet is a world whose agent has looked at the chain and does not by itself.
func quiet(t *testing.T, first pm.Facts) (*world, *Signer) {
	t.Helper()
	w := begin(t, func(c *Config) {
		after, every := c.After, c.Limits.MaxHeadAge/facts.Looks
		c.After = func(d time.Duration) <-chan time.Time {
			if d == every {
				return nil
			}
			return after(d)
		}
	})
	w.chain.becomes(first)
	s := w.signer(t)
	_, _, err := s.Renew(t.Context(), s.Address())
	require.NoError(t, err)
	return w, s
}

// Before it refuses, the agent looks at the chain again, and says when it has.
func TestARefusalLooksAgain(t *testing.T) {
	w, s := quiet(t, unfunded())
	_, err := w.batch(t, s, 1, 1)
	require.ErrorContains(t, err, "sender reserve is zero, and sender deposit is zero (the chain was asked 0s ago)")
	w.chain.becomes(goodFacts())
	_, err = w.batch(t, s, 1, 1)
	require.NoError(t, err, "it was funded since")

	// The agent's own checks do the same: a client's need not have.
	w, s = quiet(t, unfunded())
	s.round = goodFacts()
	w.chain.becomes(goodFacts())
	_, err = s.reserve(t.Context(), w.store.ID(), store.Spend{Sender: s.Address(), Params: params(t, 1), Count: 1})
	require.NoError(t, err)

	// A node that does not answer is not the sender's lack of funds.
	w, s = quiet(t, unfunded())
	w.chain.fails(errors.New("no answer"))
	_, err = w.batch(t, s, 1, 1)
	require.ErrorContains(t, err, "no answer")
	require.NotContains(t, err.Error(), "the chain was asked")

	// What the chain has nothing to do with is refused without it.
	w, s = quiet(t, goodFacts())
	asked := w.chain.times()
	_, err = w.batch(t, s, 1, 601)
	require.ErrorIs(t, err, policy.ErrUnacceptable)
	require.NotContains(t, err.Error(), "the chain was asked")
	require.Equal(t, asked, w.chain.times())
}

// However many are refused at once, the node is asked a few times a second.
func TestRefusalsShareALook(t *testing.T) {
	w, _ := quiet(t, unfunded())
	asked := w.chain.times()
	w.clock.mu.Lock()
	w.clock.soon = make(chan struct{}, 1)
	w.clock.mu.Unlock()
	const clients, each = 8, 10
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for range each {
				if _, _, err := w.service.facts.Renew(context.Background(), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	seconds := 0
	for done := false; !done; {
		select {
		case <-ended:
			done = true
		case <-w.clock.soon:
			seconds++
			w.clock.forward(time.Second)
		}
	}
	require.Positive(t, seconds, "it was waited for")
	require.LessOrEqual(t, w.chain.times()-asked, (seconds+1)*facts.LooksASecond)
}

// What the agent knows is not believed once a transaction was signed or mined.
func TestATransactionOutdatesFacts(t *testing.T) {
	w, s := quiet(t, goodFacts())
	ask := func() int {
		before := w.chain.times()
		_, err := w.batch(t, s, 1, 1)
		require.NoError(t, err)
		return w.chain.times() - before
	}
	ask() // for the first time about this recipient
	require.Zero(t, ask())
	sign := func(price int64) *types.Transaction {
		call := contract.NewTicketBroker().PackUnlock()
		signed, err := s.SignTx(t.Context(), types.NewTx(&types.DynamicFeeTx{
			ChainID: big.NewInt(1337), Nonce: 7, Gas: 100_000, GasFeeCap: big.NewInt(price), GasTipCap: big.NewInt(1), To: &ticketBroker, Data: call, Value: new(big.Int),
		}), big.NewInt(1337))
		require.NoError(t, err)
		return signed
	}
	first, second := sign(1e6), sign(2e6)
	require.NotZero(t, ask(), "it may be mined by now")
	w.clock.forward(time.Second)
	require.NotZero(t, ask(), "and now")
	w.clock.forward(time.Second)
	require.NoError(t, w.client.Mined(t.Context(), 1337, s.Address(), first.Hash()))
	ask()
	require.Zero(t, ask(), "the other one has the same nonce: it is never mined")
	_ = second

	// Transactions that were signed elsewhere are reported too.
	w.clock.forward(time.Second)
	before := w.chain.times()
	require.NoError(t, w.client.Mined(t.Context(), 1337, s.Address(), common.Hash{1}))
	ask()
	require.Greater(t, w.chain.times(), before)
	require.ErrorContains(t, w.client.Mined(t.Context(), 5, s.Address(), common.Hash{1}), "chain ID")
	require.ErrorContains(t, w.client.Mined(t.Context(), 1337, common.Address{9}, common.Hash{1}), "account")

	// A transaction of which no receipt is reported is not waited for for ever.
	ask()
	sign(3e6)
	w.clock.forward(facts.SignedFor + time.Second)
	ask()
	require.Zero(t, ask())
}

// A clock that is set back makes nothing young: neither facts nor an open key.
func TestAClockSetBack(t *testing.T) {
	w, s := quiet(t, goodFacts())
	_, err := w.batch(t, s, 1, 1) // for the first time about this recipient
	require.NoError(t, err)
	w.clock.forward(25 * time.Second)
	w.clock.set(-20 * time.Second)
	_, age, ok := w.service.facts.Known()
	require.True(t, ok)
	require.Equal(t, 25*time.Second, age)

	w.chain.fails(errors.New("no answer"))
	_, err = w.batch(t, s, 1, 1)
	require.NoError(t, err, "the limit is 30 s")
	w.clock.forward(6 * time.Second)
	w.clock.set(-6 * time.Second)
	_, err = w.batch(t, s, 1, 1)
	require.ErrorContains(t, err, "is 31s old, and may be 30s old: no answer")
	w.chain.fails(nil)
	_, err = w.batch(t, s, 1, 1)
	require.NoError(t, err)

	// To before the look: how old it is is not known.
	w.chain.fails(errors.New("no answer"))
	w.clock.set(-time.Hour)
	_, err = w.batch(t, s, 1, 1)
	require.ErrorContains(t, err, "no answer")

	// A machine that slept: only the wall clock went on.
	w, s = quiet(t, goodFacts())
	w.chain.fails(errors.New("no answer"))
	w.clock.set(31 * time.Second)
	_, err = w.batch(t, s, 1, 1)
	require.ErrorContains(t, err, "is 31s old, and may be 30s old")

	w = begin(t, nil)
	w.clock.forward(50 * time.Minute)
	w.clock.set(-50 * time.Minute)
	w.clock.forward(10 * time.Minute)
	status, err := w.client.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, "it was not used for 1h", status.LockedBy)
}

// An agent decides by its own look whether a recipient is active, whatever a client that
// orders tickets takes it for.
func TestAnAgentRefusesAnInactiveRecipient(t *testing.T) {
	w, s := quiet(t, goodFacts())
	_, err := w.batch(t, s, 1, 1)
	require.NoError(t, err)
	order := func(inactiveOK bool) error {
		s.InactiveOK = inactiveOK
		_, err := s.reserve(t.Context(), w.store.ID(), store.Spend{Sender: s.Address(), Params: params(t, 1), Count: 1})
		return err
	}
	w.chain.mu.Lock()
	w.chain.inactive = true
	w.chain.mu.Unlock()
	w.clock.forward(time.Second) // looks are bounded by the second
	_, _, err = s.Renew(t.Context(), s.Address())
	require.NoError(t, err)
	require.ErrorContains(t, order(false), "the recipient is not active")
	require.Equal(t, uint32(1), w.used(t, 1))
	require.NoError(t, order(true))
	w.clock.forward(time.Second)

	// What it was asked about before is asked about in the background, so that the next
	// request need not wait.
	_, _, err = w.service.facts.Renew(t.Context(), nil)
	require.NoError(t, err)
	asked := w.chain.times()
	require.Equal(t, []pm.Counterparty{pm.CounterpartyOf(params(t, 1))}, w.chain.about)
	require.NoError(t, order(true))
	require.Equal(t, asked, w.chain.times())
}

// A client does not take for active what an agent of an earlier version leaves out.
func TestAnAgentThatLeavesOutTheRecipient(t *testing.T) {
	_, s := quiet(t, goodFacts())
	document, err := s.client.facts(t.Context(), make(url.Values), nil)
	require.NoError(t, err)
	_, err = s.planFor(document, []pm.Counterparty{{Round: 1}})
	require.ErrorIs(t, err, ErrMismatch)
	require.ErrorContains(t, err, "another version")
}
