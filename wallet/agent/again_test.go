//go:build linux || darwin

package agent

import (
	"database/sql"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// plant reserves tickets for a request as another client of the store, which keeps to no
// limits, with a record of tickets as it likes.
func (w *world) plant(t *testing.T, s *Signer, id string, count uint32, kept *pm.TicketParams) *pay.Tickets {
	t.Helper()
	document, err := s.params(kept)
	require.NoError(t, err)
	info, err := document.Info()
	require.NoError(t, err)
	facts := goodFacts()
	record, err := (&pay.Recipe{Info: info, Expiration: facts.Expiration(kept)}).Encode()
	require.NoError(t, err)
	c, request := w.store.Chain(1337), store.Request{ID: id, Digest: "d", Record: record}
	_, err = c.Reserve(t.Context(), store.Spend{Sender: s.Address(), Params: params(t, 1), Count: count, Request: &request})
	require.NoError(t, err)
	before, err := c.Requested(t.Context(), s.Address(), request)
	require.NoError(t, err)
	_, tickets, err := w.payer(s).Recall(before.First())
	require.NoError(t, err)
	return tickets
}

// The agent holds what a shared store says was made before to its own limits and to the
// ledger, before it signs that again.
func TestTicketsOfBeforeAreHeldToLimits(t *testing.T) {
	w := begin(t, func(c *Config) { c.Limits.MaxTotalEV = policy.Cost(100, params(t, 1).EV(), nil).EV })
	s := w.signer(t)
	again := func(tickets *pay.Tickets) error {
		_, err := tickets.Batch(t.Context(), s)
		return err
	}
	require.NoError(t, again(w.plant(t, s, "good", 3, params(t, 1))))

	require.ErrorContains(t, again(w.plant(t, s, "many", 150, params(t, 1))), "is above the limit")

	// Tickets that are worth as much and win far more, which the ledger does not have.
	dear := params(t, 1)
	dear.FaceValue = new(big.Int).Lsh(dear.FaceValue, 10)
	dear.WinProb = new(big.Int).Rsh(dear.WinProb, 10)
	planted := w.plant(t, s, "dear", 1, dear)
	require.ErrorContains(t, again(planted), "the ledger has other tickets")

	// More of them than were reserved.
	w.plant(t, s, "more", 2, params(t, 1))
	db, err := sql.Open("sqlite", w.store.Path())
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(`UPDATE request_parts SET nonces = 3 WHERE request_id = 'more'`)
	require.NoError(t, err)
	before, err := w.store.Chain(1337).Requested(t.Context(), s.Address(), store.Request{ID: "more", Digest: "d"})
	require.NoError(t, err)
	_, tickets, err := w.payer(s).Recall(before.First())
	require.NoError(t, err)
	require.ErrorContains(t, again(tickets), "the ledger has other tickets")

	// A reservation that no budget was charged for.
	good := w.plant(t, s, "free", 1, params(t, 1))
	for _, table := range []string{"spending", "spending_days"} {
		_, err = db.Exec(`UPDATE ` + table + ` SET tickets = 0, ev = '0', face_value = '0'`)
		require.NoError(t, err)
	}
	require.ErrorContains(t, again(good), "the day's spending does not include")
	require.EqualValues(t, 3, w.service.tickets.Load())
}

// The agent decides for itself whether tickets may be made without the chain.
func TestOfflineIsTheAgents(t *testing.T) {
	w := begin(t, func(c *Config) { c.Limits.MaxTotalEV = policy.Cost(100, params(t, 1).EV(), nil).EV })
	s := w.signer(t)
	s.Offline = true
	offline := params(t, 1)
	round := goodFacts()
	own := round.Expiration(offline)
	offline.ExpirationParams = &own
	spend := store.Spend{Sender: s.Address(), Params: offline, Count: 1}
	s.round = round
	_, err := s.reserve(t.Context(), w.store.ID(), spend)
	require.NoError(t, err)
	spend.Count = 500
	_, err = s.reserve(t.Context(), w.store.ID(), spend)
	require.ErrorIs(t, err, policy.ErrLimit, "its limits hold without the chain")
	spend.Count, spend.Params = 1, params(t, 2)
	_, err = s.reserve(t.Context(), w.store.ID(), spend)
	require.ErrorContains(t, err, "no round")
	require.Equal(t, uint32(1), w.used(t, 1))
	require.Zero(t, w.used(t, 2))
}
