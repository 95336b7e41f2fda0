//go:build linux || darwin

package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestTheSameTickets: what the agent signs is what the key would sign here.
func TestTheSameTickets(t *testing.T) {
	w := begin(t, nil)
	got, err := w.batch(t, w.signer(t), 1, 3)
	require.NoError(t, err)
	local := key(t)
	want := new(pm.TicketBatch)
	err = pm.Mint(t.Context(), local.Signer, params(t, 1), got.TicketExpirationParams, pm.NonceRange{First: 1, Count: 3}, func(sp pm.TicketSenderParams) error {
		sp.Sig = bytes.Clone(sp.Sig)
		want.SenderParams = append(want.SenderParams, &sp)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, want.SenderParams, got.SenderParams)

	next, err := w.batch(t, w.signer(t), 1, 2)
	require.NoError(t, err)
	require.Equal(t, uint32(4), next.SenderParams[0].SenderNonce)
	require.Equal(t, uint32(5), w.used(t, 1))

	s := w.signer(t)
	signed, err := wire.NewOrchestratorRequest(signer.ForPM(t.Context(), s))
	require.NoError(t, err)
	here, err := wire.NewOrchestratorRequest(local.Signer)
	require.NoError(t, err)
	require.Equal(t, here.Sig, signed.Sig)
	token := &wire.AuthToken{Token: []byte{9}, SessionId: "session", Expiration: time.Now().Add(time.Hour).Unix()}
	header, err := pay.SegmentHeader(t.Context(), s, token, time.Now())
	require.NoError(t, err)
	same, err := pay.SegmentHeader(t.Context(), local, token, time.Now())
	require.NoError(t, err)
	require.Equal(t, same, header)

	status, err := w.client.Status(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 5, status.Counts.Tickets)
	require.EqualValues(t, 2, status.Counts.Batches)
}

// TestNoBlindHashes: the agent has no way to sign what it does not compute.
func TestNoBlindHashes(t *testing.T) {
	w := begin(t, nil)
	_, err := w.signer(t).Sign(t.Context(), make([]byte, 32))
	require.ErrorIs(t, err, ErrMessage)
}

// TestPolicyIsTheAgents: a client without limits of its own is held to the agent's.
func TestPolicyIsTheAgents(t *testing.T) {
	day := wei.FromUint64(5000e9)
	w := begin(t, func(c *Config) {
		var err error
		c.Limits, err = c.Limits.With(policy.Rules{
			Values: policy.Values{policy.FaceValuePerDay: policy.AmountOf(day), policy.Recipients: policy.Addresses{{0xaa}}},
			Where:  func(policy.Setting) string { return "the agent's file" },
		})
		require.NoError(t, err)
	})
	s := w.signer(t)
	_, err := s.Facts(t.Context(), s.Address()) // as every command does, for the round
	require.NoError(t, err)
	spend := store.Spend{Sender: s.Address(), Params: params(t, 1), Count: 1}
	_, err = s.reserve(t.Context(), w.store.ID(), spend)
	require.NoError(t, err)
	_, err = s.reserve(t.Context(), w.store.ID(), spend)
	require.ErrorIs(t, err, policy.ErrLimit, "the budget is for one ticket")
	spend.Params = params(t, 2)
	spend.Params.Recipient = common.Address{0xcc}
	_, err = s.reserve(t.Context(), w.store.ID(), spend)
	require.ErrorIs(t, err, policy.ErrLimit)
	require.Zero(t, w.used(t, 2))
	require.Equal(t, uint32(1), w.used(t, 1))
}

// TestAnAgentDecidesWhetherTheChainIsAsked: a limit that needs the chain binds the clients,
// whether a file or a flag of the agent's has set it.
func TestAnAgentDecidesWhetherTheChainIsAsked(t *testing.T) {
	age := time.Minute
	for name, c := range map[string]struct {
		rules   policy.Rules
		refused string
	}{
		"defaults":           {},
		"budget":             {rules: policy.Rules{Values: policy.Values{policy.EVPerDay: policy.AmountOf(wei.FromUint64(1e18))}}},
		"deposit multiplier": {policy.Rules{Values: policy.Values{policy.DepositMultiplier: policy.Count(3)}}, "the deposit must hold 3 face values (--deposit-multiplier of the agent)"},
		"head age":           {policy.Rules{Values: policy.Values{policy.MaxHeadAge: policy.Age(age)}}, "facts about the chain may be 1m old (--max-head-age of the agent)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t, func(config *Config) {
				c.rules.Where = policy.Setting.Flag
				var err error
				config.Limits, err = config.Limits.With(c.rules)
				require.NoError(t, err)
			})
			s := w.signer(t)
			s.Offline = true
			p := params(t, 1)
			p.ExpirationParams = &pm.TicketExpirationParams{CreationRound: 5, CreationRoundBlockHash: common.Hash{5}}
			_, err := s.reserve(t.Context(), w.store.ID(), store.Spend{Sender: s.Address(), Params: p, Count: 1})
			if c.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, policy.ErrLimit)
			require.ErrorContains(t, err, c.refused)
			require.Zero(t, w.used(t, 1))
		})
	}
}

// TestOrdersThatAreNotServed: nothing is reserved for them.
func TestOrdersThatAreNotServed(t *testing.T) {
	w := begin(t, nil)
	s := w.signer(t)
	_, err := s.Facts(t.Context(), s.Address())
	require.NoError(t, err)
	spend := store.Spend{Sender: s.Address(), Params: params(t, 1), Count: 1}
	for name, c := range map[string]struct {
		storeID string
		change  func(*Signer, *store.Spend)
		text    string
	}{
		"another store":   {"other", func(*Signer, *store.Spend) {}, "does not serve this: store"},
		"another chain":   {"", func(s *Signer, _ *store.Spend) { s.status.ChainID = 5 }, "does not serve this: chain ID"},
		"another account": {"", func(s *Signer, _ *store.Spend) { s.status.Account[0]++ }, "does not serve this: account"},
		"none":            {"", func(_ *Signer, p *store.Spend) { p.Count = 0 }, "at least 1 ticket"},
		"too many":        {"", func(_ *Signer, p *store.Spend) { p.Count = MaxTickets + 1 }, "more than the 100000"},
		"another round":   {"", func(s *Signer, _ *store.Spend) { s.round.LastInitializedRound = big.NewInt(4) }, "another round"},
		"a record of nothing": {"", func(_ *Signer, p *store.Spend) {
			p.Request = &store.Request{ID: "x", Digest: "y", Record: []byte("{}")}
		}, "request"},
	} {
		status := *s.status
		other := *s
		other.status = &status
		asked := spend
		c.change(&other, &asked)
		id := c.storeID
		if id == "" {
			id = w.store.ID()
		}
		_, err := other.reserve(t.Context(), id, asked)
		require.ErrorContains(t, err, c.text, name)
	}
	require.Zero(t, w.used(t, 1))
	_, err = s.reserve(t.Context(), "other", spend)
	said, _ := hint.Of(err)
	require.Contains(t, said, w.store.Path(), "which one it serves")

	text, err := os.ReadFile(w.store.Path())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.store.Path()+".copy", text, 0o600))
	require.NoError(t, os.Rename(w.store.Path()+".copy", w.store.Path()))
	_, err = s.reserve(t.Context(), "that of the copy, which a command has retired", spend)
	require.ErrorContains(t, err, "its file is a different one than before")
	said, _ = hint.Of(err)
	require.Contains(t, said, "restart the agent")
}

// TestARequestIsMadeOnce: the record that a client keeps must be of these tickets, and
// makes the same ones again.
func TestARequestIsMadeOnce(t *testing.T) {
	w := begin(t, nil)
	s := w.signer(t)
	payer := w.payer(s)
	make := func(record byte) (*pay.Tickets, error) {
		plan, err := payer.Plan(t.Context(), params(t, 1), pay.Amount{Count: 2})
		require.NoError(t, err)
		kept := params(t, 1)
		kept.Seed = big.NewInt(int64(record))
		kept.FaceValue = new(big.Int).Add(kept.FaceValue, big.NewInt(int64(record)))
		document, err := s.params(kept)
		require.NoError(t, err)
		info, err := document.Info()
		require.NoError(t, err)
		text, err := (&pay.Recipe{Info: info, Expiration: plan.Expiration}).Encode()
		require.NoError(t, err)
		plan.Request = &store.Request{ID: "one", Digest: "d", Record: text}
		return payer.Reserve(t.Context(), plan)
	}
	_, err := make(1)
	require.ErrorContains(t, err, "describes other tickets")
	require.Zero(t, w.used(t, 1))
	tickets, err := make(0)
	require.NoError(t, err)
	first, err := tickets.Batch(t.Context(), s)
	require.NoError(t, err)
	before, err := w.store.Chain(1337).Requested(t.Context(), s.Address(), store.Request{ID: "one", Digest: "d"})
	require.NoError(t, err)
	_, again, err := payer.Again(t.Context(), before.First())
	require.NoError(t, err)
	second, err := again.Batch(t.Context(), w.signer(t))
	require.NoError(t, err)
	require.Equal(t, first.SenderParams, second.SenderParams)
	require.Equal(t, uint32(2), w.used(t, 1))
}

// TestTransactions: only calls of the TicketBroker are signed, on this chain and under
// the caps.
func TestTransactions(t *testing.T) {
	w := begin(t, nil)
	s := w.signer(t)
	call := contract.NewTicketBroker().PackUnlock()
	good := types.DynamicFeeTx{ChainID: big.NewInt(1337), Gas: 100_000, GasFeeCap: big.NewInt(1e9), GasTipCap: big.NewInt(1), To: &ticketBroker, Data: call, Value: new(big.Int)}
	sign := func(change func(*types.DynamicFeeTx)) error {
		asked := good
		change(&asked)
		_, err := s.SignTx(t.Context(), types.NewTx(&asked), big.NewInt(1337))
		return err
	}
	require.NoError(t, sign(func(*types.DynamicFeeTx) {}))
	self := s.Address()
	require.NoError(t, sign(func(t *types.DynamicFeeTx) { t.To, t.Data = &self, nil }), "it cancels")
	require.NoError(t, sign(func(t *types.DynamicFeeTx) {
		t.Value, t.Data = big.NewInt(2), contract.NewTicketBroker().PackFundDepositAndReserveFor(self, big.NewInt(1), big.NewInt(1))
	}))
	for text, change := range map[string]func(*types.DynamicFeeTx){
		"it is to":           func(t *types.DynamicFeeTx) { t.To = &common.Address{1} },
		"creates a contract": func(t *types.DynamicFeeTx) { t.To = nil },
		"TicketBroker":       func(t *types.DynamicFeeTx) { t.Data = []byte{1, 2, 3, 4} },
		"chain ID":           func(t *types.DynamicFeeTx) { t.ChainID = big.NewInt(1) },
		"access list":        func(t *types.DynamicFeeTx) { t.AccessList = types.AccessList{{Address: ticketBroker}} },
		"above the limit":    func(t *types.DynamicFeeTx) { t.GasFeeCap = big.NewInt(1e18) },
		"funds only its own account": func(t *types.DynamicFeeTx) {
			t.Value, t.Data = big.NewInt(2), contract.NewTicketBroker().PackFundDepositAndReserveFor(common.Address{9}, big.NewInt(1), big.NewInt(1))
		},
		"requires a value of 0 wei": func(t *types.DynamicFeeTx) { t.Value = big.NewInt(1) },
		"getSenderInfo of the":      func(t *types.DynamicFeeTx) { t.Data = contract.NewTicketBroker().PackGetSenderInfo(self) },
		"only calls of the":         func(t *types.DynamicFeeTx) { t.To, t.Data, t.Value = &self, nil, big.NewInt(1) },
	} {
		require.ErrorContains(t, sign(change), text)
	}
	_, err := s.SignTx(t.Context(), types.NewTx(&types.LegacyTx{To: &ticketBroker, Data: call, Gas: 1, GasPrice: big.NewInt(1)}), big.NewInt(5))
	require.ErrorContains(t, err, "chain ID")
	require.ErrorContains(t, sign(func(t *types.DynamicFeeTx) { t.GasFeeCap = new(big.Int).Lsh(big.NewInt(1), 255) }), "fee for the transaction's gas")
	var _ tx.Signer = s
}

// TestTimeouts: the key is closed when it is idle for a while, and after its lifetime.
func TestTimeouts(t *testing.T) {
	w := begin(t, func(c *Config) { c.Idle, c.Lifetime = time.Hour, 90*time.Minute })
	s := w.signer(t)
	w.clock.forward(50 * time.Minute)
	_, err := w.batch(t, s, 1, 1)
	require.NoError(t, err)
	w.clock.forward(39 * time.Minute)
	_, err = w.batch(t, s, 1, 1)
	require.NoError(t, err, "it was used meanwhile")
	w.clock.forward(time.Minute)
	_, err = w.batch(t, s, 1, 1)
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, "its lifetime of 1h30m has ended")
	require.Equal(t, uint32(2), w.used(t, 1), "no nonces without a key")
	_, err = w.service.Signer.Sign(t.Context(), nil)
	require.Error(t, err, "the key itself is gone")

	w = begin(t, nil)
	w.clock.forward(time.Hour)
	status, err := w.client.Status(t.Context())
	require.NoError(t, err)
	require.True(t, status.Locked)
	require.Equal(t, "it was not used for 1h", status.LockedBy)

	w = begin(t, nil)
	w.service.Signer.Close() // as Lock does while tickets are created
	_, err = w.batch(t, w.signer(t), 1, 1)
	require.ErrorIs(t, err, ErrLocked)
}

// TestAnIdleKeyIsClosedByItself: without a request.
func TestAnIdleKeyIsClosedByItself(t *testing.T) {
	due := make(chan time.Time)
	armed := make(chan time.Duration)
	c := &testClock{now: time.Now()}
	conf := config(t, filepath.Join(t.TempDir(), "store.db"), &chainAt{})
	defer conf.Store.Close()
	conf.Chain = nil // so that no other goroutine waits
	conf.Now, conf.After = c.Now, func(d time.Duration) <-chan time.Time { armed <- d; return due }
	service := New(conf)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		service.Run(ctx)
	}()
	require.Equal(t, time.Minute, <-armed, "it looks at least so often")
	c.forward(time.Hour)
	due <- c.Now()
	for {
		if _, err := service.Signer.Sign(t.Context(), nil); err != nil {
			break // nothing but the service has closed it
		}
	}
	stop()
	<-ended
}

// TestFactsAreKept: a warm mint asks no node, and an old answer is no answer.
func TestFactsAreKept(t *testing.T) {
	w := begin(t, nil)
	s := w.signer(t)
	_, err := w.batch(t, s, 1, 1)
	require.NoError(t, err)
	asked := w.chain.times()
	_, err = w.batch(t, s, 1, 1)
	require.NoError(t, err)
	require.Equal(t, asked, w.chain.times())

	w.chain.fails(errors.New("no answer"))
	w.clock.forward(29 * time.Second)
	_, err = w.batch(t, s, 1, 1)
	require.NoError(t, err)
	s.MaxHeadAge = 20 * time.Second
	_, err = w.batch(t, s, 1, 1)
	require.ErrorContains(t, err, "is 29s old, and may be 20s old: no answer")
	s.MaxHeadAge = time.Hour
	w.clock.forward(2 * time.Second)
	_, err = w.batch(t, s, 1, 1)
	require.ErrorContains(t, err, "is 31s old, and may be 30s old", "no request can raise the user's limit")
	require.Equal(t, uint32(3), w.used(t, 1))

	status, err := w.client.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, "no answer", status.HeadError)
	require.EqualValues(t, 31_000, *status.HeadAge)
	w.chain.fails(nil)
	_, err = w.batch(t, s, 1, 1)
	require.NoError(t, err)
}

// TestFactsInTheBackground: a third of the age that is allowed goes by from one look to
// the next.
func TestFactsInTheBackground(t *testing.T) {
	c, asked := &testClock{now: time.Now()}, make(chan struct{})
	waits := make(chan time.Duration)
	goOn := make(chan time.Time)
	after := func(d time.Duration) <-chan time.Time { waits <- d; return goOn }
	f := facts.New(telling{asked}, common.Address{}, c.Now, after, func() time.Duration { return 10 * time.Second })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx)
	}()
	for range 3 {
		<-asked
		require.Equal(t, 10*time.Second, <-waits)
		c.forward(10 * time.Second)
		goOn <- c.Now()
	}
	<-asked
	<-waits
	_, age, ok := f.Known()
	require.True(t, ok)
	require.Zero(t, age)
	stop()
	<-ended
}

// telling is a chain that tells when it is asked.
type telling struct{ asked chan struct{} }

func (c telling) Facts(context.Context, common.Address, ...pm.Counterparty) (pm.Facts, error) {
	c.asked <- struct{}{}
	return goodFacts(), nil
}

func TestStaleErrorIsUnreachable(t *testing.T) {
	f := facts.New(nil, common.Address{}, time.Now, time.After, func() time.Duration { return time.Second })
	_, _, err := f.Get(t.Context(), time.Minute, nil)
	require.ErrorIs(t, err, chain.ErrUnreachable)
	require.ErrorIs(t, err, facts.ErrNoNode)
}

// TestOneAtATime: a socket has one agent, and what a dead one left is replaced.
func TestOneAtATime(t *testing.T) {
	w := begin(t, nil)
	_, err := Listen(w.path)
	require.ErrorIs(t, err, ErrRunning)
	info, err := os.Stat(w.path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	_, err = w.client.Stop(t.Context())
	require.NoError(t, err)
	require.NoError(t, AwaitEnd(w.path))
	_, err = w.client.Status(t.Context())
	require.ErrorIs(t, err, ErrNoAgent)
	_, err = w.service.Signer.Sign(t.Context(), nil)
	require.Error(t, err)
}

// A system takes few bytes of a path, and says only "invalid argument" to more.
func TestASocketWithALongPath(t *testing.T) {
	folder := filepath.Join(t.TempDir(), strings.Repeat("a", maxPath))
	_, err := Listen(filepath.Join(folder, "agent.sock"))
	require.ErrorContains(t, err, fmt.Sprintf("at most %d", maxPath))
	todo, _ := hint.Of(err)
	require.Contains(t, todo, "set PMCTL_AGENT")
	require.NoDirExists(t, folder)
}
