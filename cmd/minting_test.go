package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/oneday"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/store"
)

// stores are the databases that a store can be in: what must hold is tried on each. ""
// is pmctl's own file.
var stores = map[string]func(testing.TB) string{
	"SQLite":     func(testing.TB) string { return "" },
	"PostgreSQL": func(t testing.TB) string { return server.Database(t) },
}

func onEachStore(t *testing.T, test func(t *testing.T, location string)) {
	for name, place := range stores {
		t.Run(name, func(t *testing.T) { test(t, place(t)) })
	}
}

// soakRuns is how much of a long proof is run.
func soakRuns(t *testing.T, few, sample, whole int) int {
	runs, ok := map[string]int{"": few, "sample": sample, "whole": whole}[os.Getenv("PMCTL_SOAK")]
	require.True(t, ok, "PMCTL_SOAK is sample or whole")
	return runs
}

// minting is processes that make tickets on the same sessions, some of which are killed.
type minting struct {
	*shell
	recipient recipientState
	sessions  []string // files with ticket params

	// kill tells for how long a run may go on; forever when it is false.
	kill func() (time.Duration, bool)
	// retry reports whether a run that ended like this says that it is to be run again.
	retry func(ending) bool
	// heard gets to know how each run ended, unless it is nil.
	heard chan<- ending

	mu     sync.Mutex
	mints  []*mint
	kills  atomic.Int64
	reruns atomic.Int64
}

type recipientState struct{ url, status string }

// mint is tickets that are asked for: a batch, or a payment.
type mint struct {
	line    string
	id      string
	pays    bool
	runs    []ending // of which the last one counts
	session int
}

// mintsASession is how many mints there are for one set of params, of which a recipient
// takes 600 tickets.
const mintsASession = 100

func newMinting(t *testing.T, location string, mints int) *minting {
	oneday.For(t, 2*time.Minute)
	s := newShell(t, devnet.Config{Recipients: 1})
	if location != "" {
		s.env["PMCTL_STORE"] = location
	}
	s.run(exitDone, "fund --deposit 10eth --reserve 10eth --yes")
	state := s.net.Recipients()[0].State()
	m := &minting{shell: s, recipient: recipientState{state.URL, state.StatusURL}}
	m.kill = func() (time.Duration, bool) { return 0, false }
	m.retry = func(ending) bool { return false }
	for i := range mints/mintsASession + 1 {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("params-%d.json", i))
		end := s.launch(t.Context(), "params fetch "+state.URL+" -o json")
		require.Equal(t, exitDone, end.code, end.errs)
		require.NoError(t, os.WriteFile(file, []byte(end.out), 0o600))
		m.sessions = append(m.sessions, file)
	}
	return m
}

// patience is how long no run may take.
const patience = time.Minute

// do asks for tickets as a user would: without an id once, with one until the run has ended
// by itself.
func (m *minting) do(i int) {
	n := &mint{pays: i%4 >= 2, session: i / mintsASession}
	if i%2 == 1 {
		n.id = fmt.Sprintf("mint-%d", i)
	}
	n.line = fmt.Sprintf("ticket batch --params %s --count %d -o ndjson", m.sessions[n.session], 1+i%3)
	if n.pays {
		n.line = fmt.Sprintf("pay %s --value %dgwei -o json", m.recipient.url, 500+1000*(i%3))
	}
	if n.id != "" {
		n.line += " --request-id " + n.id
	}
	m.untilDone(n)
	if n.id != "" && i%8 < 4 { // as who did not see that it was done
		m.untilDone(n)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mints = append(m.mints, n)
}

func (m *minting) untilDone(n *mint) {
	for m.attempt(n) {
	}
}

// attempt runs a mint once, and reports whether its user would run it again.
func (m *minting) attempt(n *mint) bool {
	limit, kills := m.kill()
	if !kills {
		limit = patience
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), limit)
	defer cancel()
	end := m.launch(ctx, n.line)
	n.runs = append(n.runs, end)
	if m.heard != nil {
		m.heard <- end
	}
	if len(n.runs) > 1 {
		m.reruns.Add(1)
	}
	switch {
	case end.code == killed && !kills:
		m.t.Errorf("%s hangs", n.line)
		return false
	case end.code == killed:
		m.kills.Add(1)
		return n.id != ""
	}
	return m.retry(end)
}

// randomKills kills every other run at a random moment of those that a run has.
func randomKills(longest time.Duration) func() (time.Duration, bool) {
	return func() (time.Duration, bool) {
		return time.Duration(rand.Int64N(int64(longest))), rand.IntN(2) == 0
	}
}

// check holds what was printed, delivered, and booked against each other.
func (m *minting) check() {
	t := m.t
	ledger := m.ledger()
	owners := make(map[ticketID]*mint)
	for _, n := range m.mints {
		last := n.runs[len(n.runs)-1]
		if n.pays {
			m.checkPayment(n, last, ledger)
			continue
		}
		if last.code != killed {
			require.Equal(t, exitDone, last.code, "%s: %s", n.line, last.errs)
		}
		for _, end := range n.runs {
			require.True(t, strings.HasPrefix(last.out, end.out), "%s printed %q and later %q", n.line, end.out, last.out)
		}
		for _, id := range m.printed(n, last.out, ledger) {
			require.Nil(t, owners[id], "nonce %d of %s was printed by %s and by %v", id.nonce, id.session, n.line, owners[id])
			owners[id] = n
		}
	}
	tickets := ledger.check(t)
	m.checkSpent(ledger, tickets)
	m.checkRecipient(ledger)
	require.Equal(t, true, m.shell.run(exitDone, "store check")["sound"])
	end := m.launch(t.Context(), "ticket batch --params "+m.sessions[0]+" --count 1 -o json")
	require.Equal(t, exitDone, end.code, "all goes on afterwards: %s", end.errs)
	t.Logf("%d mints, %d kills, %d runs again; %d tickets printed in batches, %d reserved", len(m.mints), m.kills.Load(), m.reruns.Load(), len(owners), tickets)
}

// printed is the tickets that were printed, whole or not. All of a batch is in the ledger
// before the first of it is printed.
func (m *minting) printed(n *mint, out string, ledger *ledger) (ids []ticketID) {
	for i, line := range strings.Split(out, "\n") {
		if i == 0 || !json.Valid([]byte(line)) { // the last line of one that was killed
			continue
		}
		var ticket format.Ticket
		require.NoError(m.t, json.Unmarshal([]byte(line), &ticket))
		header := m.header(out)
		booked, ok := ledger.booked[ticketID{common.Hash(header.Offer.RecipientRandHash).Hex(), header.FirstNonce}]
		require.True(m.t, ok, "%s is not in the ledger", n.line)
		require.Equal(m.t, header.Tickets, booked.Tickets)
		require.Equal(m.t, header.TicketEVExact.String(), booked.TicketEVExact)
		require.Equal(m.t, header.Offer.FaceValue.Decimal(), booked.FaceValue)
		require.Equal(m.t, header.FirstNonce+uint32(i)-1, ticket.Nonce)
		ids = append(ids, ticketID{booked.RecipientRandHash, ticket.Nonce})
	}
	return ids
}

func (m *minting) header(out string) format.BatchHeader {
	first, _, _ := strings.Cut(out, "\n")
	var document struct{ Data format.BatchHeader }
	require.NoError(m.t, json.Unmarshal([]byte(first), &document))
	return document.Data
}

// checkPayment finds a payment that was accepted in the ledger. One with an id that was
// killed may have been accepted before: then the outcome is reported as unknown.
func (m *minting) checkPayment(n *mint, last ending, ledger *ledger) {
	t := m.t
	switch last.code {
	case killed:
		require.Empty(t, n.id)
	case exitNotMined:
		require.NotEmpty(t, n.id, "%s: %s", n.line, last.errs)
		require.Greater(t, len(n.runs), 1, "%s: %s", n.line, last.errs)
		require.Contains(t, last.errs, "was sent to")
	default:
		require.Equal(t, exitDone, last.code, "%s: %s", n.line, last.errs)
		var paid struct{ Data paidDocument }
		require.NoError(t, json.Unmarshal([]byte(last.out), &paid))
		ledger.take(t, paid.Data)
	}
	if n.id != "" {
		require.Contains(t, ledger.requests, n.id)
	}
}

// checkSpent holds the day's spending against the ledger.
func (m *minting) checkSpent(ledger *ledger, tickets int) {
	budget := m.shell.run(exitDone, "budget")
	require.Equal(m.t, float64(tickets), budget["tickets"])
	for i, want := range []string{ledger.ev.String(), ledger.faceValue.String() + "/1"} {
		require.Equal(m.t, want, budget["budget"].([]any)[i].(map[string]any)["spent_exact"])
	}
}

// checkRecipient asks the recipient what it got: no ticket twice, but for those of a
// request whose answer was lost and that was delivered again.
func (m *minting) checkRecipient(ledger *ledger) {
	t := m.t
	res, err := http.Get(m.recipient.status)
	require.NoError(t, err)
	defer res.Body.Close()
	var status recipient.Status
	require.NoError(t, json.NewDecoder(res.Body).Decode(&status))
	paid, again := 0, 0
	for _, n := range m.mints {
		if !n.pays || n.id == "" {
			continue
		}
		if made, ok := ledger.requests[n.id]; ok {
			again += int(made.Tickets) * (len(n.runs) - 1)
		}
	}
	for _, r := range ledger.booked {
		paid += int(r.Tickets)
	}
	require.LessOrEqual(t, int(status.Tickets.Refused[recipient.ReasonNonceSeen]), again)
	delete(status.Tickets.Refused, recipient.ReasonNonceSeen)
	require.Empty(t, status.Tickets.Refused)
	require.LessOrEqual(t, int(status.Tickets.Accepted), paid)
	require.GreaterOrEqual(t, int(status.Tickets.Accepted), ledger.paid)
}

// ticketID names a ticket of any session.
type ticketID struct {
	session string
	nonce   uint32
}

// ledger is what the store says was made.
type ledger struct {
	booked   map[ticketID]store.DumpedReservation // by session and first nonce
	requests map[string]store.DumpedRequest
	all      []store.DumpedReservation

	// taken are the reservations that a payment was found for, and paid their tickets.
	taken map[ticketID]bool
	paid  int

	ev        *big.Rat
	faceValue *big.Int
}

func (m *minting) ledger() *ledger {
	end := m.launch(m.t.Context(), "store export")
	require.Equal(m.t, exitDone, end.code, end.errs)
	var document struct{ Data store.Dump }
	require.NoError(m.t, json.Unmarshal([]byte(end.out), &document))
	l := &ledger{
		booked: make(map[ticketID]store.DumpedReservation), requests: make(map[string]store.DumpedRequest),
		all: document.Data.Reservations, taken: make(map[ticketID]bool), ev: new(big.Rat), faceValue: new(big.Int),
	}
	for _, r := range l.all {
		l.booked[ticketID{r.RecipientRandHash, r.FirstNonce}] = r
	}
	for _, r := range document.Data.Requests {
		l.requests[r.ID] = r
	}
	return l
}

// take finds a reservation for a payment, one that no other payment has.
func (l *ledger) take(t testing.TB, paid paidDocument) {
	t.Helper()
	for _, r := range l.all {
		id := ticketID{r.RecipientRandHash, r.FirstNonce}
		if !l.taken[id] && r.FirstNonce == paid.FirstNonce && uint64(r.Tickets) == paid.Tickets && r.TicketEVExact == paid.TicketEV && r.FaceValue == paid.FaceValue {
			l.taken[id] = true
			l.paid += int(r.Tickets)
			return
		}
	}
	require.Fail(t, "a payment is not in the ledger", "%+v", paid)
}

// check finds that no nonce is there twice, that none is missing, and what all of it costs.
func (l *ledger) check(t testing.TB) (tickets int) {
	require.Len(t, l.booked, len(l.all), "a nonce was taken twice")
	last := make(map[string]uint32)
	for _, r := range l.all {
		last[r.RecipientRandHash] = max(last[r.RecipientRandHash], r.FirstNonce+r.Tickets-1)
		tickets += int(r.Tickets)
		count := new(big.Int).SetUint64(uint64(r.Tickets))
		ev, ok := new(big.Rat).SetString(r.TicketEVExact)
		require.True(t, ok)
		faceValue, ok := new(big.Int).SetString(r.FaceValue, 10)
		require.True(t, ok)
		l.ev.Add(l.ev, ev.Mul(ev, new(big.Rat).SetInt(count)))
		l.faceValue.Add(l.faceValue, faceValue.Mul(faceValue, count))
	}
	for session, end := range last {
		for next := uint32(1); next <= end; {
			r, ok := l.booked[ticketID{session, next}]
			require.True(t, ok, "nonce %d of %s", next, session)
			next += r.Tickets
		}
	}
	return tickets
}

// paidDocument is of a payment's document what these tests count.
type paidDocument struct {
	Tickets    uint64
	TicketEV   string `json:"ticket_ev_exact"`
	FaceValue  string `json:"face_value"`
	FirstNonce uint32 `json:"first_nonce"`
	Parts      []struct {
		Tickets uint32
	}
}
