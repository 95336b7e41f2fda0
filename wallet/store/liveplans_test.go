package store

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// TestAPaymentReadsNoOthers: a database that has no statistics of the tables yet finds the
// session of a payment, and the payment itself, without reading those of others of the same sender.
func TestAPaymentReadsNoOthers(t *testing.T) {
	s := open(t, server.Database(t))
	var requests []LiveRequest
	for i := range maxTogether {
		requests = append(requests, liveRequest(byte(i), 1))
	}
	outcomes, err := livePayments(s).PayAll(t.Context(), requests)
	require.NoError(t, err)
	require.NoError(t, outcomes[7].Err)
	id, sender := outcomes[7].Payment.Session.StateID, livePayments(s).sender.Hex()
	queries := map[string][]any{
		selectSessionsIn + ` = ANY($3)`: {testChain, sender, []string{id}},
		selectLiveAnswer:                {testChain, sender, id, -1, outcomes[7].Payment.Info},
		selectLiveKey:                   {testChain, sender, "", "key"},
	}
	for query, args := range queries {
		plan, err := read(t.Context(), s, "explain", func(tx *db.Tx) ([]string, error) {
			if err := tx.Exec(`SET LOCAL enable_seqscan = off`); err != nil { // which small tables prefer
				return nil, err
			}
			return db.List(tx, db.One[string], `EXPLAIN ANALYZE `+query, args...)
		})
		require.NoError(t, err)
		require.NotContains(t, strings.Join(plan, "\n"), "Rows Removed", query)
	}
}
