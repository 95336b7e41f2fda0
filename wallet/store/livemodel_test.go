package store

import (
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/wallet/live"
)

// modelSession is a session as a person would keep it: each answer, and what was paid.
type modelSession struct {
	states  []*live.Session // by sequence number
	answers map[string]*LivePayment
	asked   int // the sequence of the state that the last answer was asked with; -1 for none
	paid    *big.Rat
	fees    *big.Rat
}

// TestLiveSessionsAgainstAModel: whatever states, params and retries come in whatever order
// and batches, from either of two processes, each session's answers, nonces and balance are those of the model.
func TestLiveSessionsAgainstAModel(t *testing.T) { onEach(t, liveSessionsAgainstAModel) }

func liveSessionsAgainstAModel(t *testing.T, p place) {
	location := p(t)
	processes := []*LivePayments{livePayments(open(t, location)), livePayments(open(t, location))}
	tries := 0
	rapid.Check(t, func(t *rapid.T) {
		tries++
		used := make(map[common.Hash]uint32)
		var sessions []*modelSession
		now := liveDay
		for range rapid.IntRange(1, 15).Draw(t, "batches") {
			var batch []LiveRequest
			var of []*modelSession
			for range rapid.IntRange(1, 4).Draw(t, "requests") {
				now = now.Add(time.Second)
				r := liveRequest(byte(rapid.IntRange(1, 3).Draw(t, "params")), rapid.Int64Range(0, 3).Draw(t, "units"))
				r.Params.RecipientRandHash[20], r.Params.RecipientRandHash[21] = byte(tries), byte(tries>>8)
				r.Cap, r.At = 30, now
				session := &modelSession{answers: make(map[string]*LivePayment), asked: -1, paid: new(big.Rat), fees: new(big.Rat)}
				if len(sessions) > 0 && rapid.Bool().Draw(t, "continues") {
					session = rapid.SampledFrom(sessions).Draw(t, "session")
					r.State = rapid.SampledFrom(session.states).Draw(t, "state")
				}
				batch, of = append(batch, r), append(of, session)
			}
			outcomes, err := rapid.SampledFrom(processes).Draw(t, "process").PayAll(t.Context(), batch)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range batch {
				if of[i].expect(t, r, outcomes[i], used) && r.State == nil {
					sessions = append(sessions, of[i])
				}
			}
		}
	})
}

// expect compares an outcome with the model, and follows it. It returns false for a refusal.
func (m *modelSession) expect(t *rapid.T, r LiveRequest, got LiveOutcome, used map[common.Hash]uint32) bool {
	var before *live.Session
	asked := -1
	if r.State != nil {
		asked = int(r.State.SequenceNumber)
		before = m.states[len(m.states)-1]
		if again := m.answers[fmt.Sprint(asked, r.Info)]; again != nil {
			if got.Err != nil || !got.Payment.Again || got.Payment.Position != again.Position || got.Payment.Nonces != again.Nonces {
				t.Fatalf("the answer to state %d and %s was %+v, and is %+v now, %v", asked, r.Info, again, got.Payment, got.Err)
			}
			return true
		}
		if asked != len(m.states)-1 && asked != m.asked {
			if !errors.Is(got.Err, live.ErrStateOld) {
				t.Fatalf("state %d of %d, of which %d was asked last: %v", asked, len(m.states), m.asked, got.Err)
			}
			return false
		}
	}
	bill, err := r.Bill(before)
	hash := r.Params.RecipientRandHash
	if err != nil || used[hash]+bill.Tickets > r.Cap {
		if got.Err == nil {
			t.Fatalf("paid %+v, the model refuses: %v", got.Payment, err)
		}
		return false
	}
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	p := got.Payment
	if p.Again || p.Nonces.First != used[hash]+1 || p.Nonces.Count != bill.Tickets || int(p.Session.SequenceNumber) != len(m.states) || p.Asked != int64(asked) {
		t.Fatalf("%+v after %d nonces and %d payments, for %d tickets", p, used[hash], len(m.states), bill.Tickets)
	}
	used[hash] += bill.Tickets
	m.paid.Add(m.paid, bill.Paid())
	m.fees.Add(m.fees, bill.Fee)
	if rest := new(big.Rat).Sub(m.paid, m.fees); rest.Cmp(p.Session.Balance) != 0 {
		t.Fatalf("a balance of %v, not %v", p.Session.Balance, rest)
	}
	m.states, m.asked = append(m.states, p.Session), asked
	m.answers[fmt.Sprint(asked, r.Info)] = p
	return true
}
