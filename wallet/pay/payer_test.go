package pay

import (
	"context"
	"errors"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// chainAt is a chain with the facts that a test sets.
type chainAt struct {
	facts pm.Facts
	err   error
	asked int
}

func (c *chainAt) Facts(context.Context, common.Address, ...pm.Counterparty) (pm.Facts, error) {
	c.asked++
	return c.facts, c.err
}

// newPayer returns a payer over a real store.
func newPayer(t *testing.T) (*Payer, *chainAt) {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	chain := &chainAt{facts: goodFacts()}
	return &Payer{Sender: me(t).Address(), Limits: policy.Default(), Chain: chain, Nonces: s.Chain(1337)}, chain
}

func goodParams(t *testing.T) *pm.TicketParams {
	t.Helper()
	params, err := goodInfo().Params()
	require.NoError(t, err)
	return params
}

func amountOf(t *testing.T, text string) Amount {
	t.Helper()
	value, err := wei.Parse(text)
	require.NoError(t, err)
	return Amount{Value: value}
}

func TestPlanCounts(t *testing.T) {
	payer, _ := newPayer(t)
	for _, c := range []struct {
		amount Amount
		count  uint32
	}{
		{Amount{Count: 3}, 3},
		{amountOf(t, "1wei"), 1},
		{amountOf(t, "1000gwei"), 1}, // a ticket is worth a hair more than 1000 gwei
		{amountOf(t, "1001gwei"), 2},
		{amountOf(t, "19000gwei"), 19},
	} {
		plan, err := payer.Plan(t.Context(), goodParams(t), c.amount)
		require.NoError(t, err)
		require.Equal(t, c.count, plan.Count)
		require.Equal(t, new(big.Rat).Mul(goodParams(t).EV(), big.NewRat(int64(c.count), 1)), plan.TotalEV)
		if c.amount.Count != 0 {
			require.Nil(t, plan.Overpays)
			continue
		}
		require.Equal(t, plan.TotalEV, new(big.Rat).Add(c.amount.Value.Rat(), plan.Overpays))
		require.True(t, plan.Overpays.Sign() >= 0 && plan.Overpays.Cmp(plan.TicketEV) < 0, "less than a ticket")
	}
}

func TestPlanRefuses(t *testing.T) {
	down := errors.New("the node is down")
	for _, c := range []struct {
		name   string
		change func(*Payer, *chainAt, *pm.TicketParams, *Amount)
		is     error
	}{
		{"no amount", func(_ *Payer, _ *chainAt, _ *pm.TicketParams, a *Amount) { *a = Amount{} }, ErrAmount},
		{"two amounts", func(_ *Payer, _ *chainAt, _ *pm.TicketParams, a *Amount) { a.Value = wei.FromUint64(1) }, ErrAmount},
		{"limit", func(_ *Payer, _ *chainAt, _ *pm.TicketParams, a *Amount) { a.Count = 20 }, policy.ErrLimit},
		{"value far above the limit", func(_ *Payer, _ *chainAt, _ *pm.TicketParams, a *Amount) { *a = amountOf(t, "1000000eth") }, policy.ErrLimit},
		{"more tickets than can be counted", func(_ *Payer, _ *chainAt, _ *pm.TicketParams, a *Amount) { *a = amountOf(t, "1e30eth") }, pm.ErrTooManyTickets},
		{"pinned recipient", func(p *Payer, _ *chainAt, _ *pm.TicketParams, _ *Amount) { p.Limits.Recipients = []common.Address{{1}} }, policy.ErrLimit},
		{"expired", func(_ *Payer, c *chainAt, _ *pm.TicketParams, _ *Amount) { c.facts.LastSeenL1Block = big.NewInt(139) }, policy.ErrUnacceptable},
		{"no deposit", func(_ *Payer, c *chainAt, _ *pm.TicketParams, _ *Amount) { c.facts.Sender.Deposit = new(big.Int) }, policy.ErrFunds},
		{"malformed", func(_ *Payer, _ *chainAt, p *pm.TicketParams, _ *Amount) { p.Seed = big.NewInt(-1) }, policy.ErrUnacceptable},
		{"the chain is down", func(_ *Payer, c *chainAt, _ *pm.TicketParams, _ *Amount) { c.err = down }, down},
		{"worthless", func(_ *Payer, _ *chainAt, p *pm.TicketParams, a *Amount) {
			p.WinProb = new(big.Int)
			*a = amountOf(t, "1wei")
		}, ErrWorthless},
		{"budget", func(p *Payer, _ *chainAt, _ *pm.TicketParams, _ *Amount) {
			limits, err := p.Limits.With(policy.Rules{
				Values: policy.Values{policy.EVPerDay: policy.AmountOf(wei.FromUint64(1))},
				Where:  func(policy.Setting) string { return "here" },
			})
			require.NoError(t, err)
			p.Limits = limits
		}, policy.ErrLimit},
		{"used up", func(p *Payer, _ *chainAt, params *pm.TicketParams, _ *Amount) {
			_, err := p.Nonces.(*store.Chain).Reserve(context.Background(), store.Spend{Sender: p.Sender, Params: params, Count: 600, Cap: 600})
			require.NoError(t, err)
		}, policy.ErrUnacceptable},
	} {
		t.Run(c.name, func(t *testing.T) {
			payer, chain := newPayer(t)
			params, amount := goodParams(t), Amount{Count: 1}
			c.change(payer, chain, params, &amount)
			before, err := payer.Nonces.UsedNonces(t.Context(), params.RecipientRandHash)
			require.NoError(t, err)
			_, err = payer.Plan(t.Context(), params, amount)
			require.ErrorIs(t, err, c.is)
			after, err := payer.Nonces.UsedNonces(t.Context(), params.RecipientRandHash)
			require.NoError(t, err)
			require.Equal(t, before, after, "a refusal takes nothing")
		})
	}
}

func TestTicketsContinue(t *testing.T) {
	payer, _ := newPayer(t)
	signer, next := me(t), uint32(1)
	for range 2 {
		plan, err := payer.Plan(t.Context(), goodParams(t), Amount{Count: 10})
		require.NoError(t, err)
		tickets, err := payer.Reserve(t.Context(), plan)
		require.NoError(t, err)
		batch, err := tickets.Batch(t.Context(), signer)
		require.NoError(t, err)
		require.Len(t, batch.SenderParams, 10)
		for i, ticket := range batch.Tickets() {
			require.Equal(t, next, ticket.SenderNonce)
			require.EqualValues(t, 5, ticket.CreationRound)
			hash := ticket.Hash()
			require.True(t, new(pm.DefaultSigVerifier).Verify(signer.Address(), hash[:], batch.SenderParams[i].Sig))
			next++
		}
	}
}

func TestOnlyTheSenderSigns(t *testing.T) {
	payer, _ := newPayer(t)
	payer.Sender = common.Address{1}
	plan, err := payer.Plan(t.Context(), goodParams(t), Amount{Count: 1})
	require.NoError(t, err)
	tickets, err := payer.Reserve(t.Context(), plan)
	require.NoError(t, err)
	_, err = tickets.Batch(t.Context(), me(t))
	require.ErrorContains(t, err, "the key is that of")
}

// The passphrase prompt may take a minute, in which the params may expire.
func TestALatePlanIsCheckedAgain(t *testing.T) {
	payer, chain := newPayer(t)
	now := time.Now()
	payer.Now = func() time.Time { return now }
	plan, err := payer.Plan(t.Context(), goodParams(t), Amount{Count: 1})
	require.NoError(t, err)
	_, err = payer.Reserve(t.Context(), plan)
	require.NoError(t, err)
	require.Equal(t, 1, chain.asked, "at once there is nothing to ask again")

	now = now.Add(time.Minute)
	chain.facts.LastSeenL1Block = big.NewInt(139)
	_, err = payer.Reserve(t.Context(), plan)
	require.ErrorIs(t, err, pm.ErrTicketParamsExpired)
	require.ErrorIs(t, err, policy.ErrUnacceptable)
	used, err := payer.Nonces.UsedNonces(t.Context(), goodParams(t).RecipientRandHash)
	require.NoError(t, err)
	require.EqualValues(t, 1, used)
}

// What the clock shows, and not what a machine counted while it was awake, tells how old
// the facts are; a clock that was set back tells nothing.
func TestAPlanAgesByTheWallClock(t *testing.T) {
	payer, chain := newPayer(t)
	plan, err := payer.Plan(t.Context(), goodParams(t), Amount{Count: 1})
	require.NoError(t, err)
	require.NotContains(t, plan.checkedAt.String(), "m=", "a monotonic reading stands still during sleep")

	payer.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	chain.facts.LastSeenL1Block = big.NewInt(139)
	_, err = payer.Reserve(t.Context(), plan)
	require.ErrorIs(t, err, pm.ErrTicketParamsExpired)
	require.Equal(t, 2, chain.asked)
}

func TestCheckSender(t *testing.T) {
	payer, chain := newPayer(t)
	require.NoError(t, payer.CheckSender(t.Context()))
	chain.facts.Sender.Reserve = nil
	require.ErrorIs(t, payer.CheckSender(t.Context()), policy.ErrFunds)
	chain.err = errors.New("down")
	require.ErrorIs(t, payer.CheckSender(t.Context()), chain.err)
}
