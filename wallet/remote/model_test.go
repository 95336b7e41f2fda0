package remote_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// modelCap is how many nonces ticket params have: few, so that they are used up.
const modelCap = 8

// modelSigner is a signer as a person would describe it, beside the real one.
type modelSigner struct {
	*world
	offer    *wire.OrchestratorInfo
	ev       *big.Rat // of a ticket, in wei
	name     string
	token    string
	sessions []*modelStream
	used     map[byte]uint32 // nonces by ticket params
	payments int
	narrowed bool // the client may pay another recipient only
	revoked  bool

	// allowed bounds what is signed for the client: EV on a day, face value on a day, EV in all; nil
	// is no bound. spent is the EV and the face value of each day, and of all days as "".
	allowed [3]*big.Rat
	spent   map[string]*[2]big.Rat
	face    *big.Rat // of a ticket, in wei
}

// modelStream is a session: its answers, and what was paid.
type modelStream struct {
	kind    live.Type
	price   *big.Rat // the first
	states  []json.RawMessage
	answers map[string][]byte // by sequence of the state that was sent, and info
	asked   int               // the sequence of the state that the last answer was asked with; -1 for none
	updated time.Time
	balance *big.Rat
}

// modelAsk is one request.
type modelAsk struct {
	rand    byte // names the ticket params
	price   int64
	expired bool // the auth token has
	units   int64
	capped  bool // the request has a maximum price of 1½
	state   int  // -1 begins a session
	kind    live.Type
}

func (a modelAsk) info() string { return fmt.Sprint(a.rand, a.price, a.expired) }

// TestSoakHTTPSessionsAgainstAModel: whatever requests come in whatever order, a new session, the
// next payment, the same request again, an older state, other ticket params, prices that are
// refused, nothing due, expired params, allowances that are used up, another day, and a client that
// is narrowed or revoked in between: each status, each answer, each balance and what the client has
// spent is the model's, to the fraction of a wei.
func TestSoakHTTPSessionsAgainstAModel(t *testing.T) {
	checks, ok := map[string]int{"": 100, "sample": 200, "whole": 2000}[os.Getenv("PMCTL_SOAK")]
	require.True(t, ok, "PMCTL_SOAK is sample or whole")
	list, key := captured(t, "signer_errors_and_payments")
	var good struct{ Orchestrator []byte }
	require.NoError(t, json.Unmarshal(named(t, list, "inPixels, no type").Request.Body, &good))
	offer := new(wire.OrchestratorInfo)
	require.NoError(t, proto.Unmarshal(good.Orchestrator, offer))
	w := newWorld(t, key, 100, identity.Tokens{}, nil, nil, func(p *remote.Payer) {
		p.Plans.Limits.NonceCap, p.Plans.Limits.MaxTotalEV = modelCap, big.NewRat(1e18, 1)
	})
	params, err := offer.Params()
	require.NoError(t, err)
	tries, statuses := 0, make(map[int]int)
	check := func(t *rapid.T) {
		tries++
		m := &modelSigner{
			world: w, offer: offer, ev: params.EV(), name: fmt.Sprint("client-", tries), token: identity.Token(), used: make(map[byte]uint32),
			face: new(big.Rat).SetInt(params.FaceValue), spent: make(map[string]*[2]big.Rat),
		}
		client := store.Client{Name: m.name, Terms: m.terms(t)}
		_, err := w.store.Clients().Add(t.Context(), client, store.Credential{Kind: string(identity.KindToken), Value: identity.TokenHash(m.token)})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(6, 20).Draw(t, "requests") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond)
			if rapid.IntRange(0, 19).Draw(t, "next day") > 15 {
				w.now = w.now.Truncate(24*time.Hour).AddDate(0, 0, 1)
			}
			if rapid.IntRange(0, 9).Draw(t, "change") == 9 {
				m.change(t, rapid.IntRange(0, 3).Draw(t, "revoke") == 3)
			}
			m.step(t, tries, statuses)
		}
		m.compareBooks(t)
	}
	require.NoError(t, flag.Set("rapid.checks", fmt.Sprint(checks)))
	rapid.Check(t, check)
	t.Logf("%d sequences; statuses: %v", tries, statuses)
	for _, status := range []int{200, 400, 401, 403, live.StatusRefresh, live.StatusPrice, live.StatusNoTickets, store.StatusAllowance} {
		require.Positive(t, statuses[status], "status %d is reached", status)
	}
}

// terms are a client's allowances, each of a few tickets or none. One of exactly so many tickets
// allows all of them.
func (m *modelSigner) terms(t *rapid.T) (terms store.Terms) {
	for i, bound := range []struct {
		of   *big.Rat
		into **wei.Wei
	}{{m.ev, &terms.EVPerDay}, {m.face, &terms.FaceValuePerDay}, {m.ev, &terms.EVTotal}} {
		tickets := rapid.Int64Range(0, 20).Draw(t, "allowance") - 5 // small numbers are drawn more often
		if tickets < 0 {
			continue
		}
		exact := new(big.Rat).Mul(bound.of, big.NewRat(tickets, 1))
		whole, rest := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
		if rest.Sign() > 0 && rapid.Bool().Draw(t, "rounded up") {
			whole.Add(whole, big.NewInt(1))
		}
		amount, err := wei.FromBig(whole)
		if err != nil {
			t.Fatal(err)
		}
		*bound.into, m.allowed[i] = &amount, amount.Rat()
	}
	return terms
}

// books are what is spent on the day and in all.
func (m *modelSigner) books() (today, total *[2]big.Rat) {
	day := m.now.Format(time.DateOnly)
	for _, name := range []string{day, ""} {
		if m.spent[name] == nil {
			m.spent[name] = new([2]big.Rat)
		}
	}
	return m.spent[day], m.spent[""]
}

// allows reports whether the client may spend so many tickets more.
func (m *modelSigner) allows(tickets int64) bool {
	count := big.NewRat(tickets, 1)
	today, total := m.books()
	for i, spent := range []*big.Rat{&today[0], &today[1], &total[0]} {
		each := m.ev
		if i == 1 {
			each = m.face
		}
		if sum := new(big.Rat).Mul(each, count); m.allowed[i] != nil && sum.Add(sum, spent).Cmp(m.allowed[i]) > 0 {
			return false
		}
	}
	return true
}

// spend books tickets.
func (m *modelSigner) spend(tickets int64) {
	today, total := m.books()
	for _, book := range []*[2]big.Rat{today, total} {
		for i, each := range []*big.Rat{m.ev, m.face} {
			book[i].Add(&book[i], new(big.Rat).Mul(each, big.NewRat(tickets, 1)))
		}
	}
}

// compareBooks compares what the store says is spent with the model.
func (m *modelSigner) compareBooks(t *rapid.T) {
	accounts, err := m.store.Clients().Accounts(t.Context(), m.now)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(accounts, func(a store.ClientAccount) bool { return a.Name == m.name })
	today, total := m.books()
	for _, book := range []struct {
		model *[2]big.Rat
		store policy.Sum
	}{{today, accounts[i].Spent.Today}, {total, accounts[i].Spent.Total}} {
		if ev := num.OrZero(book.store.EV); ev.Cmp(&book.model[0]) != 0 {
			t.Fatalf("EV of %v is booked, the model has %v", ev, &book.model[0])
		}
		if face := new(big.Rat).SetInt(num.OrZero(book.store.FaceValue)); face.Cmp(&book.model[1]) != 0 {
			t.Fatalf("a face value of %v is booked, the model has %v", face, &book.model[1])
		}
	}
}

// change narrows the client's terms, widens them again, or revokes the client.
func (m *modelSigner) change(t *rapid.T, revoke bool) {
	m.narrowed, m.revoked = !m.narrowed, m.revoked || revoke
	err := m.store.Clients().Change(t.Context(), m.name, func(c *store.Client) error {
		if c.Terms.Recipients = nil; m.narrowed {
			c.Terms.Recipients = []common.Address{{99}}
		}
		if m.revoked {
			c.RevokedAt = m.now.Add(-time.Hour)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// step sends a request and compares its answer with the model's.
func (m *modelSigner) step(t *rapid.T, try int, statuses map[int]int) {
	ask := modelAsk{
		rand: byte(rapid.IntRange(1, 3).Draw(t, "params")), price: rapid.SampledFrom([]int64{1, 1, 1, 2}).Draw(t, "price"), state: -1,
		expired: rapid.IntRange(0, 9).Draw(t, "expired") == 0, units: rapid.Int64Range(0, 5).Draw(t, "units"),
		kind: rapid.SampledFrom([]live.Type{live.Pixels, live.Seconds}).Draw(t, "type"),
	}
	if rapid.IntRange(0, 5).Draw(t, "ceiling") == 0 {
		ask.capped = true
	}
	stream := &modelStream{kind: ask.kind, answers: make(map[string][]byte), asked: -1, balance: new(big.Rat)}
	if len(m.sessions) > 0 && rapid.IntRange(0, 3).Draw(t, "continues") > 0 {
		stream = rapid.SampledFrom(m.sessions).Draw(t, "session")
		ask.kind = stream.kind
		newest := len(stream.states) - 1
		ask.state = newest - rapid.IntRange(0, min(2, newest)).Draw(t, "older")
	}
	if ask.kind == live.Pixels {
		ask.capped = false // it needs a type
	}
	status, body := m.send(t, try, ask, stream)
	statuses[status]++
	want := m.expect(ask, stream)
	if status != want.status {
		t.Fatalf("%+v: status %d, the model has %d: %s", ask, status, want.status, body)
	}
	switch {
	case want.same != nil && !bytes.Equal(want.same, body):
		t.Fatalf("the answer was %s, and is %s", want.same, body)
	case want.same == nil && status == http.StatusOK:
		m.follow(t, ask, stream, want, body)
	}
	if recorded := m.recorded(t); recorded != m.payments {
		t.Fatalf("%d payments are recorded, the model has %d", recorded, m.payments)
	}
}

// modelAnswer is what the model answers: the bytes of before, or so many tickets more.
type modelAnswer struct {
	status  int
	same    []byte
	tickets int64
	balance *big.Rat
}

func refuse(status int) modelAnswer { return modelAnswer{status: status} }

// expect is the model.
func (m *modelSigner) expect(a modelAsk, s *modelStream) (want modelAnswer) {
	again := s.answers[fmt.Sprint(a.state, " ", a.info())]
	want = m.due(a, s)
	switch {
	case m.revoked && a.expired:
		return refuse(live.StatusRefresh)
	case m.revoked:
		return refuse(http.StatusUnauthorized)
	case a.state >= 0 && again != nil:
		return modelAnswer{status: http.StatusOK, same: again}
	case a.expired:
		return refuse(live.StatusRefresh)
	case a.state >= 0 && a.state != len(s.states)-1 && a.state != s.asked:
		return refuse(http.StatusBadRequest)
	case m.narrowed:
		return refuse(http.StatusForbidden)
	}
	return want
}

// due is what a payment comes to, at the session's first price.
func (m *modelSigner) due(a modelAsk, s *modelStream) modelAnswer {
	price := m.price(a)
	first := cmp.Or(s.price, price)
	units := a.units
	if a.kind == live.Seconds {
		units = 10
		if !s.updated.IsZero() {
			units = int64((m.now.Sub(s.updated) + time.Second - 1) / time.Second)
		}
	}
	switch {
	case units <= 0:
		return refuse(http.StatusBadRequest)
	case price.Cmp(first) > 0, a.capped && a.price > 1:
		return refuse(live.StatusPrice)
	}
	fee := new(big.Rat).Mul(first, big.NewRat(units, 1))
	owed := fee
	if owed.Cmp(m.ev) < 0 {
		owed = m.ev // a payment has at least one ticket, unless the balance has it
	}
	missing := new(big.Rat).Sub(owed, s.balance)
	if missing.Sign() <= 0 {
		return refuse(live.StatusNoTickets)
	}
	missing.Quo(missing, m.ev)
	tickets := new(big.Int).Quo(missing.Num(), missing.Denom())
	if !missing.IsInt() {
		tickets.Add(tickets, big.NewInt(1))
	}
	if tickets.Cmp(big.NewInt(100)) > 0 { // seconds that passed in days
		return refuse(http.StatusBadRequest)
	}
	if m.used[a.rand]+uint32(tickets.Int64()) > modelCap {
		return refuse(live.StatusRefresh)
	}
	if !m.allows(tickets.Int64()) {
		return refuse(store.StatusAllowance)
	}
	balance := new(big.Rat).Mul(new(big.Rat).SetInt(tickets), m.ev)
	balance.Add(balance, s.balance)
	return modelAnswer{status: http.StatusOK, tickets: tickets.Int64(), balance: balance.Sub(balance, fee)}
}

// price is what a unit costs.
func (m *modelSigner) price(a modelAsk) *big.Rat {
	whole := new(big.Int).Quo(m.ev.Num(), m.ev.Denom())
	return new(big.Rat).SetFrac(whole.Mul(whole, big.NewInt(a.price)), big.NewInt(3))
}

// follow takes the answer of a new payment over into the model, after a look at all of it.
func (m *modelSigner) follow(t *rapid.T, a modelAsk, s *modelStream, want modelAnswer, body []byte) {
	var answer struct {
		Payment []byte
		State   json.RawMessage
	}
	var state live.State
	paid := new(wire.Payment)
	if err := cmp.Or(json.Unmarshal(body, &answer), json.Unmarshal(answer.State, &state), proto.Unmarshal(answer.Payment, paid)); err != nil {
		t.Fatal(err)
	}
	session, err := live.DecodeSession(state.State)
	if err != nil {
		t.Fatal(err)
	}
	if len(paid.TicketSenderParams) != int(want.tickets) || session.Balance.Cmp(want.balance) != 0 || int(session.SequenceNumber) != len(s.states) {
		t.Fatalf("%+v: %d tickets, balance %v, sequence %d; the model has %d, %v, %d", a, len(paid.TicketSenderParams), session.Balance, session.SequenceNumber,
			want.tickets, want.balance, len(s.states))
	}
	for i, ticket := range paid.TicketSenderParams {
		if ticket.SenderNonce != m.used[a.rand]+uint32(i)+1 {
			t.Fatalf("nonce %d after %d", ticket.SenderNonce, m.used[a.rand])
		}
	}
	if s.price == nil {
		s.price = m.price(a)
		m.sessions = append(m.sessions, s)
	}
	m.used[a.rand] += uint32(want.tickets)
	m.payments++
	m.spend(want.tickets)
	s.balance, s.updated, s.asked = want.balance, m.now, a.state
	s.states = append(s.states, answer.State)
	s.answers[fmt.Sprint(a.state, " ", a.info())] = body
}

// offered is an orchestrator's offer. A unit at price 1 costs about a third of a ticket's EV.
func (m *modelSigner) offered(try int, a modelAsk) *wire.OrchestratorInfo {
	info := proto.CloneOf(m.offer)
	info.TicketParams.RecipientRandHash = append([]byte{a.rand, byte(try), byte(try >> 8)}, make([]byte, 29)...)
	info.AuthToken.Expiration = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix() // beyond all days of the test
	if a.expired {
		info.AuthToken.Expiration = 1
	}
	params, _ := info.Params()
	ev := params.EV()
	info.PriceInfo.PricePerUnit = a.price * new(big.Int).Quo(ev.Num(), ev.Denom()).Int64()
	info.PriceInfo.PixelsPerUnit = 3
	return info
}

func (m *modelSigner) send(t *rapid.T, try int, a modelAsk, s *modelStream) (int, []byte) {
	info := m.offered(try, a)
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{"orchestrator": base64.StdEncoding.EncodeToString(raw), "inPixels": a.units, "ManifestID": "m", "type": a.kind}
	if a.state >= 0 {
		fields["state"] = s.states[a.state]
	}
	if a.capped {
		ceiling := big.NewRat(3*info.PriceInfo.PricePerUnit/a.price, 2*info.PriceInfo.PixelsPerUnit)
		fields["maxPrice"] = map[string]any{"price": ceiling.FloatString(9), "currency": "wei", "unit": "seconds"}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, m.server.URL+"/generate-live-payment", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+m.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

// recorded is how many payments of the client the store has.
func (m *modelSigner) recorded(t *rapid.T) int {
	client, err := m.store.Clients().With(t.Context(), store.Credential{Kind: string(identity.KindToken), Value: identity.TokenHash(m.token)}, m.now)
	if err != nil {
		t.Fatal(err)
	}
	payments, err := m.store.LiveUsage().OfClient(t.Context(), client.ID, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(payments)
}
