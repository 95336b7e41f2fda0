package pay

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// till is a recipient that books tickets under their session, and forgets a session that was
// idle for ten minutes: what was paid there is gone.
type till struct {
	t        *testing.T
	grpc     *grpc.Server
	now      time.Time
	sessions int64
	balance  map[string]*big.Rat
	paidAt   map[string]time.Time
	taken    map[ticketID]booking
	forgot   map[string]int // how often a session was forgotten

	// mood is what becomes of the next delivery: "", "refuse", "lost" before it arrives, or
	// "cut off" after it is booked.
	mood string
}

// booking is the session that a ticket was booked under, and how often that was forgotten
// before.
type booking struct {
	session string
	forgot  int
}

func newTill(t *testing.T) (*till, *Session) {
	s := &till{t: t, grpc: grpc.NewServer(), now: time.Now(), balance: make(map[string]*big.Rat), paidAt: make(map[string]time.Time), taken: make(map[ticketID]booking), forgot: make(map[string]int)}
	wire.RegisterOrchestratorServer(s.grpc, orchestrator(func(context.Context, *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
		return s.info(), nil
	}))
	t.Cleanup(s.grpc.Stop)
	payer, _ := newPayer(t)
	now := func() time.Time { return s.now }
	payer.Now, payer.Limits.MaxTotalEV = now, nil
	chain := payer.Nonces.(*store.Chain)
	return s, &Session{
		Payer: payer, Client: &Client{Timeout: testTimeout, Now: now}, Kept: inMemory{}, Credits: chain, Requests: chain,
		Pins: Pins{Known: knownInMemory{}, Sender: payer.Sender}, URL: serve(t, true, s),
		Unlock: func(context.Context) (signer.Source, error) { return me(t), nil },
	}
}

func (s *till) info() *wire.OrchestratorInfo {
	s.sessions++
	info := goodInfo()
	info.TicketParams.RecipientRandHash = common.BigToHash(big.NewInt(s.sessions)).Bytes()
	info.AuthToken.SessionId, info.AuthToken.Expiration = fmt.Sprint("session ", s.sessions), s.now.Add(30*time.Minute).Unix()
	return info
}

func (s *till) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		s.grpc.ServeHTTP(w, r)
		return
	}
	mood := s.mood
	s.mood = ""
	payment, err := wire.DecodePaymentHeader(r.Header.Get("Livepeer-Payment"))
	if err != nil {
		s.t.Error(err)
	}
	segment, err := wire.DecodeSegmentHeader(r.Header.Get("Livepeer-Segment"))
	if err != nil {
		s.t.Error(err)
	}
	switch mood {
	case "refuse":
		http.Error(w, "no", http.StatusBadRequest)
		return
	case "lost":
		panic(http.ErrAbortHandler)
	}
	session, ev := segment.GetAuthToken().GetSessionId(), goodParams(s.t).EV()
	has := s.has(session)
	for _, sp := range payment.GetTicketSenderParams() {
		id := ticketID{common.BytesToHash(payment.GetTicketParams().GetRecipientRandHash()), sp.GetSenderNonce()}
		if s.taken[id].session != "" {
			http.Error(w, "nonce replayed", http.StatusBadRequest)
			return
		}
		s.taken[id] = booking{session, s.forgot[session]}
		has.Add(has, ev)
	}
	s.paidAt[session] = s.now
	if mood == "cut off" {
		panic(http.ErrAbortHandler)
	}
	body, err := proto.Marshal(&wire.PaymentResult{Info: s.info()})
	if err != nil {
		s.t.Error(err)
	}
	_, _ = w.Write(body)
}

// has is what a session has left.
func (s *till) has(session string) *big.Rat {
	if s.balance[session] == nil || s.now.Sub(s.paidAt[session]) >= 10*time.Minute {
		s.balance[session] = new(big.Rat)
		s.forgot[session]++
	}
	return s.balance[session]
}

// work uses up what was paid for, of the sessions under which it was booked. It fails where
// they have less, unless the payment's own tickets were forgotten before anyone reported it.
func (s *till) work(t require.TestingT, p *Payment, value wei.Wei) {
	due := value.Rat()
	for _, tickets := range p.Parts {
		booked := s.taken[ticketID{tickets.Params.RecipientRandHash, tickets.Nonces.First}]
		has := s.has(booked.session)
		if booked.forgot != s.forgot[booked.session] {
			return
		}
		use := new(big.Rat).Set(has)
		if use.Cmp(due) > 0 {
			use.Set(due)
		}
		has.Sub(has, use)
		due.Sub(due, use)
	}
	require.Zero(t, due.Sign(), "%s wei of the work is not paid for: %d tickets, credit %v", due.FloatString(1), p.Total().Tickets, p.Credit)
}

// killable is a store behind which a process may be killed, and beside which another one
// pays, where a credit is read or written.
type killable struct {
	*store.Chain
	at   string // the call at which the process dies: "" for none
	race func()
}

func (k *killable) die(at string) error {
	if k.at == at {
		k.at = "dead"
	}
	if k.at == "dead" {
		return errKilled
	}
	return nil
}

func (k *killable) Credit(ctx context.Context, sender common.Address, url string) (store.Credit, error) {
	seen, err := k.Chain.Credit(ctx, sender, url)
	if race := k.race; race != nil {
		k.race = nil
		race()
	}
	return seen, errors.Join(err, k.die("credit"))
}

func (k *killable) TakeCredit(ctx context.Context, sender common.Address, url string, seen store.Credit) (bool, error) {
	if err := k.die("take"); err != nil {
		return false, err
	}
	taken, err := k.Chain.TakeCredit(ctx, sender, url, seen)
	return taken, errors.Join(err, k.die("taken"))
}

func (k *killable) AddCredit(ctx context.Context, sender common.Address, url string, more store.Credit, life time.Duration) error {
	if err := k.die("add"); err != nil {
		return err
	}
	return k.Chain.AddCredit(ctx, sender, url, more, life)
}

func (k *killable) ReserveAll(ctx context.Context, spends []store.Spend) ([]store.Outcome, error) {
	if err := k.die("reserve"); err != nil {
		return nil, err
	}
	return k.Chain.ReserveAll(ctx, spends)
}

func (k *killable) BeginDelivery(ctx context.Context, sender common.Address, r *store.Record) error {
	if err := k.die("begin"); err != nil {
		return err
	}
	return k.Chain.BeginDelivery(ctx, sender, r)
}

func (k *killable) EndDelivery(ctx context.Context, sender common.Address, r *store.Record, end store.State, outcome string) (*store.Record, error) {
	if err := k.die("end"); err != nil {
		return nil, err
	}
	return k.Chain.EndDelivery(ctx, sender, r, end, outcome)
}

// TestCreditNeverLeavesWorkUnpaid has processes pay values one after the other and beside
// each other, with and without a request that is run again; deliveries are refused, lost or
// cut off, processes are killed wherever a credit is read or written, and minutes pass. For
// each payment that is reported as accepted, the recipient can do the work that it was for.
func TestCreditNeverLeavesWorkUnpaid(t *testing.T) {
	till, base := newTill(t)
	chain := base.Payer.Nonces.(*store.Chain)
	requests, used := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		till.now = till.now.Add(time.Hour)
		clear(base.Kept.(inMemory))
		done := make(map[string]bool)
		var pay func(value wei.Wei, id string, nested bool)
		pay = func(value wei.Wei, id string, nested bool) {
			k := &killable{Chain: chain}
			if rapid.IntRange(0, 3).Draw(rt, "killed") == 0 {
				k.at = rapid.SampledFrom([]string{"credit", "take", "taken", "reserve", "begin", "end", "add"}).Draw(rt, "where")
			}
			if !nested && rapid.IntRange(0, 3).Draw(rt, "raced") == 0 {
				other := draw(rt, "other")
				k.race = func() { pay(other, "", true) }
			}
			session, payer := *base, *base.Payer
			payer.Nonces = k
			session.Payer, session.Credits, session.Requests = &payer, k, k
			session.Unlock = func(context.Context) (signer.Source, error) {
				till.now = till.now.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Second, 6 * time.Minute}).Draw(rt, "passphrase"))
				return me(t), nil
			}
			if id != "" {
				session.Request = &store.Request{ID: id, Digest: value.Decimal()}
			}
			till.mood = rapid.SampledFrom([]string{"", "", "", "", "", "refuse", "lost", "cut off"}).Draw(rt, "mood")
			p, err := session.Pay(t.Context(), Amount{Value: value})
			till.mood = ""
			if err != nil || k.at == "dead" || done[id] && id != "" {
				return
			}
			if p.Credit != nil && p.Credit.Sign() > 0 {
				used++
			}
			done[id] = true
			require.NotZero(rt, p.Total().Tickets)
			till.work(rt, p, value)
		}
		for range rapid.IntRange(1, 12).Draw(rt, "payments") {
			value, id, runs := draw(rt, "value"), "", 1
			if rapid.Bool().Draw(rt, "named") {
				requests++
				id, runs = fmt.Sprint("request ", requests), rapid.IntRange(1, 3).Draw(rt, "runs")
			}
			for range runs {
				pay(value, id, false)
				till.now = till.now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, 4 * time.Minute, 6 * time.Minute, 11 * time.Minute}).Draw(rt, "pause"))
			}
		}
	})
	require.Positive(t, used, "no payment has used a credit: this proves nothing")
}

// TestACreditLapsesAtThePassphrase: tickets that a killed process left unsent count on a credit that the
// recipient forgets while the next one asks for the passphrase.
func TestACreditLapsesAtThePassphrase(t *testing.T) {
	till, session := newTill(t)
	chain := session.Payer.Nonces.(*store.Chain)
	_, err := session.Pay(t.Context(), Amount{Value: wei.FromUint64(1)})
	require.NoError(t, err)
	value := wei.FromUint64(2e12 - 1) // a ticket, and what the first one was worth beyond a wei
	session.Request = &store.Request{ID: "one", Digest: "digest"}
	session.Requests = &killable{Chain: chain, at: "begin"}
	_, err = session.Pay(t.Context(), Amount{Value: value})
	require.ErrorIs(t, err, errKilled)
	till.now = till.now.Add(4 * time.Minute)
	session.Requests = chain
	session.Unlock = func(context.Context) (signer.Source, error) {
		till.now = till.now.Add(6 * time.Minute)
		return me(t), nil
	}
	p, err := session.Pay(t.Context(), Amount{Value: value})
	require.NoError(t, err)
	require.EqualValues(t, 2, p.Total().Tickets)
	till.work(t, p, value)
}

// draw is a value around whole tickets, and below one.
func draw(t *rapid.T, name string) wei.Wei {
	return wei.FromUint64(rapid.OneOf(
		rapid.Uint64Range(1, 20e12), rapid.SampledFrom([]uint64{1e12, 2e12, 1e12 + 1, 2e12 - 1, 15e11, 25e11, 5e11}),
	).Draw(t, name))
}
