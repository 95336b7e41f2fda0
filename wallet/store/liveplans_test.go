package store

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// TestAPaymentReadsNoOthers: a database that has no statistics of the tables yet finds the
// session of a payment, and the payment itself, without reading those of others of the same sender.
func TestAPaymentReadsNoOthers(t *testing.T) {
	s := open(t, server.Database(t))
	p := manyPayments(t, s)[7].Payment
	id, sender := p.Session.StateID, livePayments(s).sender.Hex()
	require.LessOrEqual(t, mostRows(t, s, selectSessionsIn+` = ANY($3)`, testChain, sender, []string{id}), 1)
	require.LessOrEqual(t, mostRows(t, s, selectLiveAnswer, testChain, sender, id, -1, p.Info), 1)
	require.LessOrEqual(t, mostRows(t, s, selectLiveKey, testChain, sender, "", "key"), 1)
}

// TestAPaymentScansNoTable: a file finds each thing that payments start from by an index.
func TestAPaymentScansNoTable(t *testing.T) {
	s := open(t, newFile(t))
	for _, query := range []string{selectSessionsIn, selectCountsIn, selectPinsIn, selectClientsIn, selectOwnersIn, selectClientSpending} {
		for _, values := range [][]string{{"one"}, {"one", "two"}} {
			var plan string
			args := make([]any, strings.Count(query, "$"))
			require.NoError(t, s.db.Read(t.Context(), func(tx *db.Tx) error {
				return tx.Together(db.AskIn(tx, func(row db.Scanner) (step string, err error) {
					return step, row.Scan(new(any), new(any), new(any), &step)
				}, func(step string) error {
					plan += step + "\n"
					return nil
				}, `EXPLAIN QUERY PLAN `+query, args, values))
			}))
			require.Contains(t, plan, "SEARCH", query)
			require.NotContains(t, strings.ReplaceAll(plan, "SCAN json_each", ""), "SCAN", query)
		}
	}
}

// What the signer looks for all the time does not take longer with each payment that it has made: what
// a collector has acknowledged is not read again, nor is a session of long ago, and old payments are
// read a few at a time while new ones wait.
func TestOldPaymentsAreNotReadAgain(t *testing.T) {
	s := open(t, server.Database(t))
	payments := manyPayments(t, s)
	last := payments[len(payments)-1].Payment
	require.NoError(t, s.LiveUsage().Acknowledge(t.Context(), ConsumerCollector, "", last.Position))
	require.LessOrEqual(t, mostRows(t, s, selectBacklog, ConsumerCollector), 1)
	require.LessOrEqual(t, mostRows(t, s, selectBehind, ConsumerCollector), 1)
	require.Zero(t, mostRows(t, s, selectLiveSessions, last.At.Add(time.Second).UnixMilli(), 5))
	require.LessOrEqual(t, mostRows(t, s, deleteUsage, ConsumerCollector, last.At.AddDate(1, 0, 0).UnixMilli(), ConsumerClient, 10, 20), 10)
}

// manyPayments records a payment in each of many sessions.
func manyPayments(t *testing.T, s *Store) []LiveOutcome {
	t.Helper()
	var requests []LiveRequest
	for i := range maxTogether {
		requests = append(requests, liveRequest(byte(i), 1))
	}
	outcomes, err := livePayments(s).PayAll(t.Context(), requests)
	require.NoError(t, err)
	require.NoError(t, outcomes[7].Err)
	return outcomes
}

var planned = regexp.MustCompile(`(?:actual time=\S+ rows=|Rows Removed by .*: )(\d+)`)

// mostRows runs a statement, and returns the most rows that PostgreSQL read, joined or dropped in
// a step of it.
func mostRows(t *testing.T, s *Store, query string, args ...any) (rows int) {
	t.Helper()
	var plan []string
	err := s.write(t.Context(), func(tx *db.Tx) (err error) {
		if err = tx.Exec(`SET LOCAL enable_seqscan = off`); err == nil { // which small tables prefer
			plan, err = db.List(tx, db.One[string], `EXPLAIN ANALYZE `+query, args...)
		}
		return err
	})
	require.NoError(t, err)
	for _, found := range planned.FindAllStringSubmatch(strings.Join(plan, "\n"), -1) {
		n, err := strconv.Atoi(found[1])
		require.NoError(t, err)
		rows = max(rows, n)
	}
	return rows
}
