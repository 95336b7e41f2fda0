package store

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// busy returns a store with a row in every table of a sender.
func busy(t *testing.T) *Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "store.db"))
	request := &Request{ID: "one", Digest: "d", Record: []byte("record")}
	_, err := s.Chain(testChain).Reserve(t.Context(), Spend{Sender: common.Address{1}, Params: params(1), Count: 3, Request: request})
	require.NoError(t, err)
	reserve(t, s, params(2), 4)
	paid := liveRequest(3, 1)
	paid.Client = addClient(t, s, "ann", Terms{EVTotal: worth(t, 2)})
	pay(t, s, paid)
	require.NoError(t, s.LiveUsage().Acknowledge(t.Context(), "push", paid.Client, 1))
	require.NoError(t, s.Chain(testChain).SaveParams(t.Context(), common.Address{1}, "https://r", []byte("{}")))
	require.NoError(t, s.Chain(testChain).Winners(isActive).StoreWinningTicket(winning(ann, 1, 1)))
	return s
}

// A file's store continues in another file, or in a database.
func TestMigrate(t *testing.T) { onEach(t, migrate) }

func migrate(t *testing.T, place place) {
	location := place(t)
	from, to := busy(t), open(t, location)
	id := from.ID()
	require.NoError(t, from.Migrate(t.Context(), to))
	require.NoError(t, from.Migrate(t.Context(), to), "already migrated")
	require.Equal(t, id, to.ID())

	_, err := from.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
	require.Equal(t, &MovedError{To: to.Path()}, errorAs[*MovedError](t, err))
	again := open(t, from.Path())
	_, err = again.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
	errorAs[*MovedError](t, err)

	require.EqualValues(t, 4, reserve(t, to, params(1), 1).First)
	require.EqualValues(t, 5, reserve(t, to, params(2), 1).First)
	spent, err := to.Chain(testChain).Spending(t.Context(), common.Address{1}, time.Now())
	require.NoError(t, err)
	require.True(t, policy.Cost(9, params(1).EV(), params(1).FaceValue).Equal(spent.All))
	made, err := to.Chain(testChain).Requested(t.Context(), common.Address{1}, Request{ID: "one", Digest: "d"})
	require.NoError(t, err)
	require.Equal(t, "record", string(made.First().Record))
	require.Equal(t, pm.NonceRange{First: 1, Count: 3}, made.First().Nonces)
	winners, err := to.Chain(testChain).Winners(isActive).All(t.Context())
	require.NoError(t, err)
	require.Len(t, winners, 1)
	live, err := to.LiveUsage().After(t.Context(), 0, 2)
	require.NoError(t, err)
	require.Len(t, live, 1)
	next := liveRequest(3, 2).with(live[0])
	next.Client = live[0].Client
	_, err = livePayments(to).Pay(t.Context(), next)
	errorAs[*AllowanceError](t, err)
	reopened := open(t, location)
	require.Nil(t, reopened.Retirement())
	require.Equal(t, id, reopened.ID())

	other := open(t, filepath.Join(t.TempDir(), "store.db"))
	errorAs[*MovedError](t, from.Migrate(t.Context(), other))
}

func errorAs[E error](t *testing.T, err error) (found E) {
	t.Helper()
	require.ErrorAs(t, err, &found)
	return found
}

// A migration that ended between its two steps can be resumed.
func TestMigrateGoesOn(t *testing.T) {
	from, to := busy(t), open(t, filepath.Join(t.TempDir(), "store.db"))
	err := from.write(t.Context(), func(tx *db.Tx) error {
		err := tx.Exec(upsertMeta, metaMoved, to.Path())
		return err
	})
	require.NoError(t, err)
	require.NoError(t, from.Migrate(t.Context(), to))
	require.EqualValues(t, 4, reserve(t, to, params(1), 1).First)
}

// Until a migration is complete its new store takes no request for a new one.
func TestAMigrationThatIsNotComplete(t *testing.T) { onEach(t, aMigrationThatIsNotComplete) }

func aMigrationThatIsNotComplete(t *testing.T, place place) {
	from, location := busy(t), place(t)
	before, err := from.Export(t.Context())
	require.NoError(t, err)
	change(t, from, `ALTER TABLE params RENAME TO missing`) // so that the copy fails
	to := open(t, location)
	require.Error(t, from.Migrate(t.Context(), to))
	errorAs[*MovedError](t, tryReserve(t, from))

	require.NoError(t, to.Close())
	to = open(t, location)
	err = tryReserve(t, to)
	require.ErrorIs(t, err, ErrAccess)
	require.ErrorContains(t, err, "the move of "+from.Path()+" to "+to.Path()+" is not complete")
	require.ErrorIs(t, to.Import(t.Context(), before), ErrAccess)

	change(t, from, `ALTER TABLE missing RENAME TO params`)
	require.NoError(t, from.Migrate(t.Context(), to))
	require.EqualValues(t, 4, reserve(t, to, params(1), 1).First)
}

func tryReserve(t *testing.T, s *Store) error {
	_, err := s.Chain(testChain).ReserveNonces(t.Context(), common.Address{1}, params(1), 1, 0)
	return err
}

func TestMigrateNeedsAnEmptyStore(t *testing.T) {
	from, to := busy(t), busy(t)
	require.ErrorIs(t, from.Migrate(t.Context(), to), ErrNotEmpty)
	require.ErrorIs(t, from.Migrate(t.Context(), from), ErrNotEmpty)
	require.EqualValues(t, 4, reserve(t, from, params(1), 1).First, "the old store stays in use")
}

func TestExportAndImport(t *testing.T) { onEach(t, exportAndImport) }

func exportAndImport(t *testing.T, place place) {
	from, location := busy(t), place(t)
	dump, err := from.Export(t.Context())
	require.NoError(t, err)
	to := open(t, location)
	require.NoError(t, to.Import(t.Context(), dump))
	require.NotEqual(t, from.ID(), to.ID())
	c := to.Chain(testChain)
	for i := range 2 {
		_, err = c.ReserveNonces(t.Context(), common.Address{1}, params(byte(1+i)), 1, 0)
		require.ErrorIs(t, err, ErrRetired)
	}
	spent, err := c.Spending(t.Context(), common.Address{1}, time.Now())
	require.NoError(t, err)
	require.EqualValues(t, 7, spent.All.Tickets)
	require.Contains(t, spent.ExhaustedReason, "imported")
	made, err := c.Requested(t.Context(), common.Address{1}, Request{ID: "one", Digest: "d"})
	require.NoError(t, err)
	require.Empty(t, made.First().Record)
	again, err := to.Export(t.Context())
	require.NoError(t, err)
	require.Equal(t, dump.Reservations, again.Reservations)
	require.Equal(t, dump.Requests, again.Requests)
	require.ErrorIs(t, to.Import(t.Context(), dump), ErrNotEmpty)
	report, err := Check(t.Context(), location)
	require.NoError(t, err)
	require.Empty(t, report.Problems)
}

func TestImportRefusesNonsense(t *testing.T) {
	dump, err := busy(t).Export(t.Context())
	require.NoError(t, err)
	for name, change := range map[string]func(r *DumpedReservation){
		"twice":     func(r *DumpedReservation) { *r = dump.Reservations[1] },
		"hash":      func(r *DumpedReservation) { r.RecipientRandHash = "0xAB" },
		"sender":    func(r *DumpedReservation) { r.Sender = "me" },
		"range":     func(r *DumpedReservation) { r.FirstNonce = 0 },
		"wide":      func(r *DumpedReservation) { r.Tickets = 1<<32 - 1; r.FirstNonce = 9 },
		"ev":        func(r *DumpedReservation) { r.TicketEVExact = "1e9/1" },
		"rounded":   func(r *DumpedReservation) { r.TicketEVWei = "1" },
		"faceValue": func(r *DumpedReservation) { r.FaceValue = "-1" },
		"chain":     func(r *DumpedReservation) { r.ChainID = "" },
		"gap":       func(r *DumpedReservation) { r.FirstNonce, r.Tickets = r.FirstNonce+1, r.Tickets-1 },
		"overlap": func(r *DumpedReservation) {
			*r = slices.MaxFunc(dump.Reservations, func(a, b DumpedReservation) int { return cmp.Compare(a.Tickets, b.Tickets) })
			r.FirstNonce, r.Tickets = 2, 1
		},
	} {
		bad := *dump
		bad.Reservations = append([]DumpedReservation(nil), dump.Reservations...)
		change(&bad.Reservations[0])
		s := open(t, filepath.Join(t.TempDir(), "store.db"))
		require.ErrorIs(t, s.Import(t.Context(), &bad), ErrBadDump, name)
		require.ErrorIs(t, s.Import(t.Context(), nil), ErrBadDump)
		require.NoError(t, s.Import(t.Context(), dump), "what was refused left nothing")
	}
}

func TestCheck(t *testing.T) {
	s := busy(t)
	report, err := Check(t.Context(), s.Path())
	require.NoError(t, err)
	require.Empty(t, report.Problems)
	require.Empty(t, report.CopyReason)
	require.Equal(t, s.ID(), report.ID)
	require.EqualValues(t, 3, report.Counts["sessions"])

	for _, c := range []struct{ statement, says string }{
		{`UPDATE sessions SET used_nonces = 9`, "does not agree with its reservations"},
		{`DELETE FROM spending_days`, "does not add up"},
		{`UPDATE signer_sessions SET sequence = 7`, "has no payment 7"},
		{`UPDATE signer_spending SET ev = '1' WHERE day <> ''`, "does not add up"},
	} {
		_, err = s.db.Pool.Exec(c.statement)
		require.NoError(t, err)
		report, err = Check(t.Context(), s.Path())
		require.NoError(t, err)
		require.Contains(t, report.Problems[len(report.Problems)-1], c.says)
	}
	_, err = Check(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	require.ErrorIs(t, err, ErrNoStore)
	copied := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, s.Close())
	data, err := os.ReadFile(s.Path())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(copied, data, 0o600))
	report, err = Check(t.Context(), copied)
	require.NoError(t, err)
	require.Contains(t, report.CopyReason, "it was at "+s.Path())
}

// A request is made once, whichever process asks first, and stays accepted once it is.
func TestRequests(t *testing.T) {
	c, me := open(t, filepath.Join(t.TempDir(), "store.db")).Chain(testChain), common.Address{1}
	request := Request{ID: "one", Digest: "d", Record: []byte("first")}
	spend := Spend{Sender: me, Params: params(1), Count: 3, Request: &request}
	first, err := c.Reserve(t.Context(), spend)
	require.NoError(t, err)
	require.Nil(t, first.Before)
	second := spend
	second.Params, second.Request = params(2), &Request{ID: "one", Digest: "d", Record: []byte("second")}
	made, err := c.Reserve(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, first.Nonces, made.Nonces)
	require.Equal(t, "first", string(made.Before.Record))
	require.Equal(t, Reserved, made.Before.State)
	second.Request = &Request{ID: "one", Digest: "other"}
	_, err = c.Reserve(t.Context(), second)
	require.ErrorIs(t, err, ErrRequest)
	spent, err := c.Spending(t.Context(), me, time.Now())
	require.NoError(t, err)
	require.EqualValues(t, 3, spent.All.Tickets, "booked once")

	require.NoError(t, c.BeginDelivery(t.Context(), me, made.Before))
	errorAs[*RequestMovedError](t, c.ReleaseRequest(t.Context(), me, Records{made.Before}))
	_, err = c.EndDelivery(t.Context(), me, made.Before, Accepted, "")
	require.NoError(t, err)
	after, err := c.EndDelivery(t.Context(), me, made.Before, Refused, "no")
	require.NoError(t, err)
	require.Equal(t, Accepted, after.State)
	errorAs[*RequestMovedError](t, c.BeginDelivery(t.Context(), me, made.Before))
	found, err := c.Requested(t.Context(), me, request)
	require.NoError(t, err)
	require.Equal(t, Accepted, found.First().State)
	found, err = c.Requested(t.Context(), common.Address{2}, request)
	require.NoError(t, err)
	require.Nil(t, found, "each sender has its own IDs")
}
