package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Many that pay at once on one set of params share no nonce, and those that wait are recorded
// together.
func TestLiveQueue(t *testing.T) { onEach(t, liveQueue) }

func liveQueue(t *testing.T, place place) {
	location := place(t)
	s := open(t, location)
	const clients, each = 16, 6
	allowed := clients*each - 5
	shared := addClient(t, s, "shared", Terms{EVTotal: worth(t, int64(allowed))})
	before := generation(t, s)
	queue := livePayments(s).Queue()
	defer queue.Close()
	var mu sync.Mutex
	var ranges []pm.NonceRange
	refused := 0
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			next := liveRequest(1, 1)
			next.Client = shared
			for range each {
				paid, err := queue.Pay(t.Context(), next)
				mu.Lock()
				if err == nil {
					ranges = append(ranges, paid.Nonces)
					next = next.with(paid)
				} else if errors.As(err, new(*AllowanceError)) {
					refused++
				} else {
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 5, refused)
	require.Len(t, ranges, allowed)
	requireGapless(t, ranges, 1)
	require.EqualValues(t, allowed, spentTickets(t, s))
	require.Less(t, generation(t, s)-before, int64(clients*each), "one transaction each")
	requireSound(t, location)
}

func generation(t *testing.T, s *Store) int64 {
	t.Helper()
	text, err := read(t.Context(), s, "read the generation", func(tx *db.Tx) (string, error) { return meta(tx, metaGeneration) })
	require.NoError(t, err)
	n, _, err := parseGeneration(text)
	require.NoError(t, err)
	return n
}

// The same state from many at once has one answer.
func TestOneAnswerForAStateSentAtOnce(t *testing.T) { onEach(t, oneAnswerForAStateSentAtOnce) }

func oneAnswerForAStateSentAtOnce(t *testing.T, place place) {
	s := open(t, place(t))
	first := pay(t, s, liveRequest(1, 1))
	queue := livePayments(s).Queue()
	defer queue.Close()
	paid := make(chan *LivePayment, 100)
	for range cap(paid) {
		go func() {
			p, err := queue.Pay(t.Context(), liveRequest(1, 1).with(first))
			if err != nil {
				t.Error(err)
			}
			paid <- p
		}()
	}
	news := 0
	for range cap(paid) {
		p := <-paid
		require.Equal(t, pm.NonceRange{First: 2, Count: 1}, p.Nonces)
		require.EqualValues(t, 1, p.Session.SequenceNumber)
		if !p.Again {
			news++
		}
	}
	require.Equal(t, 1, news)
	require.EqualValues(t, 2, spentTickets(t, s))
}

// A text that a database does not keep, or that is too long to be recorded with each payment, is
// refused before the store sees it, and leaves the other requests alone.
func TestATextRefusesOneRequest(t *testing.T) { onEach(t, aTextRefusesOneRequest) }

func aTextRefusesOneRequest(t *testing.T, place place) {
	location := place(t)
	s := open(t, location)
	long := strings.Repeat("x", maxText+1)
	requests := []LiveRequest{liveRequest(1, 1)}
	for _, change := range []func(*LiveRequest){
		func(r *LiveRequest) { r.ManifestID = "a\x00b" },
		func(r *LiveRequest) { r.ManifestID = long },
		func(r *LiveRequest) { r.App = "a\x00b" },
		func(r *LiveRequest) { r.App = long },
		func(r *LiveRequest) { r.Key = "\xff" },
		func(r *LiveRequest) { r.Key = long },
		func(r *LiveRequest) { r.Auth.ID = "ann:\xff" },
		func(r *LiveRequest) { r.Auth.ID = long },
		func(r *LiveRequest) { r.Capabilities = make([]byte, maxCapabilities+1) },
	} {
		bad := liveRequest(1, 1)
		change(&bad)
		_, err := livePayments(s).Find(t.Context(), bad)
		require.ErrorAs(t, err, new(live.Refusal))
		requests = append(requests, bad)
	}
	// As long as it may be, and the longest when it is encoded.
	most := liveRequest(1, 1)
	most.Key, most.ManifestID, most.App = long[1:], strings.Repeat("\x01", maxText), strings.Repeat("\x01", maxText)
	most.Auth.ID, most.Capabilities = strings.Repeat("\x01", maxText), make([]byte, maxCapabilities)
	outcomes, err := livePayments(s).PayAll(t.Context(), append(requests, most))
	require.NoError(t, err)
	require.NoError(t, outcomes[0].Err)
	for _, refused := range outcomes[1:len(requests)] {
		var why live.Refusal
		require.ErrorAs(t, refused.Err, &why)
		require.Equal(t, http.StatusBadRequest, why.Status())
	}
	require.NoError(t, outcomes[len(requests)].Err)
	pay(t, s, most.with(outcomes[len(requests)].Payment))
	_, err = s.Clients().With(t.Context(), Credential{"jwt", "\xff\x00"}, liveDay)
	require.ErrorIs(t, err, ErrNoClient)
	_, err = s.Clients().Add(t.Context(), Client{Name: "ann"}, Credential{"jwt", long})
	require.ErrorAs(t, err, new(live.Refusal))
	requireSound(t, location)
}

// What is damaged for one request is not for the others that it is recorded with.
func TestDamageRefusesOneRequest(t *testing.T) {
	s := open(t, newFile(t))
	first := pay(t, s, liveRequest(1, 1))
	change(t, s, `DELETE FROM signer_payments`)
	queue := &LiveQueue{payments: livePayments(s)}
	outcomes := []chan LiveOutcome{make(chan LiveOutcome, 1), make(chan LiveOutcome, 1)}
	queue.record([]*liveWait{
		{t.Context(), liveRequest(1, 1).with(first), outcomes[0]},
		{t.Context(), liveRequest(2, 1), outcomes[1]},
	})
	require.ErrorIs(t, (<-outcomes[0]).Err, ErrDamaged)
	require.NoError(t, (<-outcomes[1]).Err)
}

func TestLiveQueueEnds(t *testing.T) {
	s := open(t, newFile(t))
	given, giveUp := context.WithCancelCause(t.Context())
	giveUp(errors.New("gave up"))
	require.Empty(t, (&LiveQueue{}).gather(&liveWait{ctx: given}), "nothing is recorded for it")
	queue := livePayments(s).Queue()
	_, err := queue.Pay(given, liveRequest(1, 1))
	if err != nil { // it may have been recorded before it was given up
		require.EqualError(t, err, "gave up")
	}
	queue.Close()
	_, err = queue.Pay(t.Context(), liveRequest(1, 1))
	require.ErrorIs(t, err, ErrQueueClosed)

	require.NoError(t, s.Close())
	queue = livePayments(s).Queue()
	defer queue.Close()
	_, err = queue.Pay(t.Context(), liveRequest(1, 1))
	require.Error(t, err)
	require.False(t, errors.As(err, new(live.Refusal)), "a store that fails refuses no request")
}

func TestLiveUsage(t *testing.T) { onEach(t, liveUsage) }

func liveUsage(t *testing.T, place place) {
	s := open(t, place(t))
	usage := s.LiveUsage()
	ann, bob := addClient(t, s, "ann", Terms{}), addClient(t, s, "bob", Terms{})
	var paid []*LivePayment
	for i, client := range []string{ann, bob, ann, bob, ann} {
		r := liveRequest(byte(i), 1)
		if i > 1 {
			r = r.with(paid[i-2])
		}
		r.Client = client
		paid = append(paid, pay(t, s, r))
	}
	list := func(found []*LivePayment, err error) (positions []int64) {
		t.Helper()
		require.NoError(t, err)
		for _, p := range found {
			require.Equal(t, paid[p.Position-1].Usage, p.Usage)
			positions = append(positions, p.Position)
		}
		return positions
	}
	require.Equal(t, []int64{1, 2, 3, 4, 5}, list(usage.After(t.Context(), 0, 9)))
	require.Equal(t, []int64{3, 5}, list(usage.OfClient(t.Context(), ann, 1, 9)))
	require.Empty(t, list(usage.OfClient(t.Context(), "", 0, 9)), "each is a client's")
	behind := func() []Lag {
		t.Helper()
		found, err := usage.Behind(t.Context(), "push")
		require.NoError(t, err)
		return found
	}
	require.ElementsMatch(t, []Lag{{ann, 0}, {bob, 0}}, behind())

	require.NoError(t, usage.Acknowledge(t.Context(), "push", ann, 3))
	require.NoError(t, usage.Acknowledge(t.Context(), "push", ann, 1), "a late acknowledgement takes nothing back")
	require.ElementsMatch(t, []Lag{{ann, 3}, {bob, 0}}, behind())
	require.ErrorIs(t, usage.Acknowledge(t.Context(), "push", bob, 5), ErrNoPayment, "it would be acknowledged before it is made")
	require.ErrorIs(t, usage.Acknowledge(t.Context(), "push", "", 1), ErrNoPayment)
	backlog, err := usage.Backlog(t.Context(), "push")
	require.NoError(t, err)
	require.Equal(t, Backlog{3, paid[1].At}, backlog)
	backlog, err = usage.Backlog(t.Context(), "pull")
	require.NoError(t, err)
	require.EqualValues(t, 5, backlog.Payments)

	// What is not acknowledged stays, and so does what a session continues from.
	removed, err := usage.Prune(t.Context(), "push", liveDay.AddDate(1, 0, 0))
	require.NoError(t, err)
	require.EqualValues(t, 2, removed)
	require.NoError(t, usage.Acknowledge(t.Context(), "push", bob, 4))
	require.NoError(t, usage.Acknowledge(t.Context(), "push", ann, 5))
	backlog, err = usage.Backlog(t.Context(), "push")
	require.NoError(t, err)
	require.Equal(t, Backlog{}, backlog)
	require.Empty(t, behind())
	removed, err = usage.Prune(t.Context(), "push", liveDay)
	require.NoError(t, err)
	require.Zero(t, removed, "it is not old")
	require.NoError(t, usage.Acknowledge(t.Context(), ConsumerClient, bob, 1))
	removed, err = usage.Prune(t.Context(), "push", liveDay.AddDate(1, 0, 0))
	require.NoError(t, err)
	require.Zero(t, removed, "bob has acknowledged that it lacks the payment")
	require.NoError(t, usage.Acknowledge(t.Context(), ConsumerClient, bob, 2))
	removed, err = usage.Prune(t.Context(), "push", liveDay.AddDate(1, 0, 0))
	require.NoError(t, err)
	require.EqualValues(t, 1, removed)
	require.Equal(t, []int64{4, 5}, list(usage.After(t.Context(), 0, 9)))
	next := liveRequest(9, 1).with(paid[4])
	next.Client = ann
	require.EqualValues(t, 6, pay(t, s, next).Position)

	sessions, err := usage.Sessions(t.Context(), liveDay, 9)
	require.NoError(t, err)
	require.Len(t, sessions, 2)
	require.EqualValues(t, 6, sessions[0].Last.Position)
	require.Equal(t, paid[0].At, sessions[0].OpenedAt)
	require.Equal(t, bob, sessions[1].Last.Client)
}

func TestOldSessionsAreForgotten(t *testing.T) { onEach(t, oldSessionsAreForgotten) }

// A session that is not continued is removed with its last payment; one of another signer would begin anew.
func oldSessionsAreForgotten(t *testing.T, place place) {
	location := place(t)
	s := open(t, location)
	usage := s.LiveUsage()
	ann := addClient(t, s, "ann", Terms{})
	of := func(session byte, state *live.Session) LiveRequest {
		r := liveRequest(session, 1)
		r.Client, r.State = ann, state
		return r
	}
	first := pay(t, s, of(1, nil))
	old := pay(t, s, of(1, nil).with(first))
	foreign := *old.Session
	foreign.StateID = "0badcafe"
	taken := pay(t, s, of(2, &foreign))
	newest := pay(t, s, of(3, nil))
	require.NoError(t, usage.Acknowledge(t.Context(), "push", ann, newest.Position))
	removed, err := usage.Prune(t.Context(), "push", liveDay.AddDate(1, 0, 0))
	require.NoError(t, err)
	require.EqualValues(t, 2, removed)
	_, err = livePayments(s).Pay(t.Context(), of(1, nil).with(old))
	require.ErrorIs(t, err, live.ErrStateUnknown)
	older := foreign
	older.SequenceNumber--
	_, err = livePayments(s).Pay(t.Context(), of(4, &older))
	require.ErrorIs(t, err, live.ErrStateOld)
	pay(t, s, of(2, nil).with(taken))
	require.Equal(t, newest.Position+2, pay(t, s, of(3, nil).with(newest)).Position)
	requireSound(t, location)
}

func TestSignerEvents(t *testing.T) { onEach(t, signerEvents) }

func signerEvents(t *testing.T, place place) {
	location := place(t)
	s := open(t, location)
	events := s.SignerEvents()
	raise := func(name string) bool {
		t.Helper()
		raised, err := events.Raise(t.Context(), name, liveDay, func(position int64) ([]byte, error) { return fmt.Appendf(nil, "%d %s", position, name), nil })
		require.NoError(t, err)
		return raised
	}
	require.True(t, raise("a"))
	require.True(t, raise("b"))
	require.False(t, raise("a"), "it is stored")
	_, err := events.Raise(t.Context(), "c", liveDay, func(int64) ([]byte, error) { return nil, errors.New("no body") })
	require.ErrorContains(t, err, "no body")

	again := open(t, location).SignerEvents()
	found, err := again.After(t.Context(), 0, 9)
	require.NoError(t, err)
	require.Equal(t, []SignerEvent{{1, []byte("1 a")}, {2, []byte("2 b")}}, found)
	require.NoError(t, again.Acknowledge(t.Context(), 1))
	acknowledged, err := s.LiveUsage().Acknowledged(t.Context(), ConsumerOperator, "")
	require.NoError(t, err)
	require.EqualValues(t, 1, acknowledged)
	found, err = events.After(t.Context(), 1, 9)
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestLeases(t *testing.T) { onEach(t, leases) }

func leases(t *testing.T, place place) {
	location := place(t)
	ours, theirs := open(t, location).LiveUsage(), open(t, location).LiveUsage()
	take := func(u *LiveUsage, name, holder string, at time.Time, lasting time.Duration) bool {
		t.Helper()
		held, err := u.Lease(t.Context(), name, holder, at, lasting)
		require.NoError(t, err)
		return held
	}
	require.True(t, take(ours, "collector", "a", liveDay, time.Minute))
	require.False(t, take(theirs, "collector", "b", liveDay.Add(59*time.Second), time.Minute))
	require.True(t, take(theirs, "events", "b", liveDay, time.Minute), "another lease")
	require.True(t, take(ours, "collector", "a", liveDay.Add(30*time.Second), time.Minute), "it is renewed")
	require.False(t, take(theirs, "collector", "b", liveDay.Add(89*time.Second), time.Minute))
	require.True(t, take(theirs, "collector", "b", liveDay.Add(90*time.Second), time.Minute), "it has expired")
	require.False(t, take(ours, "collector", "a", liveDay.Add(91*time.Second), time.Minute))
	require.False(t, take(ours, "collector", "a", liveDay.Add(92*time.Second), 0), "it is not a's to give up")
	require.False(t, take(ours, "collector", "a", liveDay.Add(92*time.Second), time.Minute))
	require.False(t, take(theirs, "collector", "b", liveDay.Add(92*time.Second), 0), "it is given up")
	require.True(t, take(ours, "collector", "a", liveDay.Add(92*time.Second), time.Minute))
	require.True(t, take(theirs, "collector", "b", liveDay.AddDate(0, 0, -1), time.Minute), "a lease of a clock that is a day ahead")
}

func TestClients(t *testing.T) { onEach(t, clients) }

func clients(t *testing.T, place place) {
	s := open(t, place(t))
	c := s.Clients()
	id := addClient(t, s, "ann", Terms{EVPerDay: worth(t, 3), Apps: []string{"a"}})
	for _, again := range []Client{{Name: "ann"}, {Name: "other"}} {
		_, err := c.Add(t.Context(), again, Credential{"token", "hash of ann"})
		require.ErrorIs(t, err, ErrClientExists)
	}
	_, err := c.Named(t.Context(), "other")
	require.ErrorIs(t, err, ErrNoClient, "nothing of it was added")

	now := time.Now()
	found, err := c.With(t.Context(), Credential{"token", "hash of ann"}, now)
	require.NoError(t, err)
	require.Equal(t, id, found.ID)
	require.Equal(t, Terms{EVPerDay: worth(t, 3), Apps: []string{"a"}}, found.Terms)
	_, err = c.With(t.Context(), Credential{"mtls", "hash of ann"}, now)
	require.ErrorIs(t, err, ErrNoClient)

	// Until a time both tokens are accepted, and from then on the newest alone.
	accepted := func(want error, value string, at time.Time) {
		t.Helper()
		_, err := c.With(t.Context(), Credential{"token", value}, at)
		require.ErrorIs(t, err, want)
	}
	later := now.Add(time.Hour)
	require.NoError(t, c.Rotate(t.Context(), "ann", Credential{"token", "new"}, later))
	for at, want := range map[time.Time]error{later.Add(-time.Millisecond): nil, later: ErrNoClient} {
		accepted(want, "hash of ann", at)
		accepted(nil, "new", at)
	}
	require.NoError(t, c.Rotate(t.Context(), "ann", Credential{"token", "newer"}, later.Add(time.Hour)))
	accepted(ErrNoClient, "hash of ann", later)
	accepted(nil, "new", later)
	require.NoError(t, c.Rotate(t.Context(), "ann", Credential{"token", "newest"}, time.Time{}))
	for _, gone := range []string{"hash of ann", "new", "newer"} {
		accepted(ErrNoClient, gone, liveDay)
	}
	accepted(nil, "newest", now)
	require.ErrorIs(t, c.Rotate(t.Context(), "other", Credential{"token", "x"}, now), ErrNoClient)
	require.ErrorIs(t, c.Rotate(t.Context(), "ann", Credential{"token", "newest"}, later), ErrClientExists)
	accepted(nil, "newest", later.Add(time.Hour))

	require.NoError(t, c.Change(t.Context(), "ann", func(client *Client) error {
		client.Terms, client.ExpiresAt = Terms{}, liveDay
		return nil
	}))
	cancelled := errors.New("not so")
	require.ErrorIs(t, c.Change(t.Context(), "ann", func(client *Client) error {
		client.RevokedAt = liveDay
		return cancelled
	}), cancelled)
	addClient(t, s, "Bob", Terms{})
	all, err := c.All(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, client := range all {
		if client.Name == "ann" {
			require.Equal(t, fmt.Sprint(liveDay), fmt.Sprint(client.ExpiresAt))
			require.Zero(t, client.RevokedAt)
		}
	}
}
