package cmd

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// winner is a ticket that won, as its recipient knows it.
type winner struct {
	Nonce uint32      `json:"sender_nonce"`
	State string      `json:"state"`
	Tx    common.Hash `json:"tx"`
}

// winners are a recipient's, once none waits any more to be redeemed.
func (s *shell) winners(statusURL string) (all []winner) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		res, err := http.Get(statusURL)
		require.NoError(s.t, err)
		defer res.Body.Close()
		var status struct {
			Winners []winner `json:"winners"`
		}
		require.NoError(s.t, json.NewDecoder(res.Body).Decode(&status))
		all = status.Winners
		return !slices.ContainsFunc(all, func(w winner) bool { return w.State == "queued" })
	}, time.Minute, 20*time.Millisecond)
	return all
}

// TestSoakHistory pays three recipients, has them redeem what won, and holds the history
// against the chain: the sums to the wei, and each redemption against the ticket that its
// recipient knows to have won.
func TestSoakHistory(t *testing.T) {
	t.Parallel()
	notInShort(t)
	payments := map[string]int{"": 24, "sample": 60, "whole": 300}[os.Getenv("PMCTL_SOAK")]
	require.Positive(t, payments, "PMCTL_SOAK is sample or whole")
	s := newShell(t, devnet.Config{Recipients: 3, RoundLength: 1000})
	s.env["XDG_CACHE_HOME"] = t.TempDir()
	recipients := s.net.Recipients()
	s.run(exitDone, "fund --reserve 0.3eth --yes")
	tickets := new(big.Int)
	for i := range payments {
		if i%(payments/3) == 0 {
			// A deposit for a few winners: the reserve pays for the others.
			s.run(exitDone, "fund --deposit 5000gwei --yes")
		}
		paid := s.run(exitDone, "pay "+recipients[i%3].State().URL+" --value 5000gwei")
		tickets.Add(tickets, big.NewInt(int64(paid["tickets"].(float64))))
		if (i+1)%(payments/3) == 0 {
			require.NoError(t, s.net.Mine(t.Context(), 41))
			for _, r := range recipients {
				s.winners(r.State().StatusURL)
			}
		}
	}
	s.run(exitDone, "unlock --yes")
	s.run(exitDone, "unlock cancel --yes")

	data := s.run(exitDone, "history")
	totals, luck := data["totals"].(map[string]any), data["luck"].(map[string]any)
	require.Equal(t, tickets, s.number(luck, "tickets"))
	require.EqualValues(t, 0, luck["outstanding"])
	require.EqualValues(t, 0, totals["unmatched"])

	// What was put in less what was paid is what the contract says is there.
	status := s.run(exitDone, "status")
	for _, fund := range []string{"deposit", "reserve"} {
		left := s.number(totals, fund+"_funded")
		left.Sub(left, s.number(totals, fund+"_paid"))
		left.Sub(left, s.number(totals, fund+"_withdrawn"))
		require.Equal(t, status[fund], left.String(), fund)
	}

	// The same events, one by one, as the contract has them.
	broker := contract.NewTicketBroker()
	logs, err := s.net.Client().FilterLogs(t.Context(), ethereum.FilterQuery{Addresses: []common.Address{s.net.Contracts()["TicketBroker"]}})
	require.NoError(t, err)
	var want []string
	sum := new(big.Int)
	for _, log := range logs {
		if e, err := broker.UnpackWinningTicketTransferEvent(&log); err == nil {
			sum.Add(sum, e.Amount)
		}
		if e, err := broker.UnpackWinningTicketRedeemedEvent(&log); err == nil {
			want = append(want, fmt.Sprintf("%s %v %v %v", e.Recipient, e.FaceValue, e.SenderNonce, e.WinProb))
		}
	}
	require.NotEmpty(t, want)
	var got, told []string
	paid := new(big.Int)
	for _, event := range data["events"].([]any) {
		if event.(map[string]any)["kind"] != "redemption" {
			continue
		}
		r := event.(map[string]any)["redemption"].(map[string]any)
		got = append(got, fmt.Sprintf("%s %s %s %s", r["recipient"], r["face_value"], fmt.Sprint(r["nonce"]), r["win_prob"]))
		told = append(told, fmt.Sprintf("%s %s %s", r["recipient"], fmt.Sprint(r["nonce"]), event.(map[string]any)["transaction_hash"]))
		require.Equal(t, "matched", r["match"])
		paid.Add(paid, s.number(r, "paid"))
	}
	require.Equal(t, want, got)
	require.Equal(t, sum, paid)
	require.Equal(t, sum.String(), new(big.Int).Add(s.number(totals, "deposit_paid"), s.number(totals, "reserve_paid")).String())
	require.Equal(t, float64(len(want)), luck["wins"])
	require.Equal(t, sum, s.number(luck, "paid"))
	require.Positive(t, s.number(totals, "reserve_paid").Sign(), "the reserve has paid too")

	var know []string
	failed := 0
	for _, r := range recipients {
		for _, w := range s.winners(r.State().StatusURL) {
			receipt, err := s.net.Client().TransactionReceipt(t.Context(), w.Tx)
			require.NoError(t, err)
			if receipt.Status != types.ReceiptStatusSuccessful {
				failed++ // the estimate of its gas was for a deposit that was there
				continue
			}
			know = append(know, fmt.Sprintf("%s %d %s", r.State().Address, w.Nonce, w.Tx))
		}
	}
	require.ElementsMatch(t, know, told)
	t.Logf("%d payments, %v tickets, %d redeemed for %v wei, %d in vain: %v", payments, tickets, len(want), sum, failed, luck)

	// From the cache it is the same, and so are the recipients' parts together.
	require.Equal(t, data, s.run(exitDone, "history"))
	require.Equal(t, data, s.run(exitDone, "history --no-cache"))
	parts := new(big.Int)
	for _, r := range recipients {
		part := s.run(exitDone, "history --recipient "+r.State().Address.Hex())
		for _, from := range []string{"deposit_paid", "reserve_paid"} {
			parts.Add(parts, s.number(part["totals"].(map[string]any), from))
		}
	}
	require.Equal(t, sum, parts)
	runway := s.run(exitDone, "runway --since 1h")
	require.Equal(t, "ledger", runway["basis"])
	require.Equal(t, sum, s.number(runway, "paid"))
	require.Equal(t, luck["total_ev_exact"], runway["made"].(map[string]any)["total_ev_exact"])

	// Another store has made none of these tickets.
	elsewhere := " --store " + filepath.Join(t.TempDir(), "store.db")
	other := s.run(exitDone, "history"+elsewhere)
	require.Equal(t, totals["redemptions"], other["totals"].(map[string]any)["unmatched"])
	require.Equal(t, totals["deposit_paid"], other["totals"].(map[string]any)["deposit_paid"])
	require.Equal(t, 0.0, other["luck"].(map[string]any)["wins"])
	require.Equal(t, "redemptions", s.run(exitDone, "runway"+elsewhere)["basis"])
}

// TestRunwayForecast spends evenly, and forecasts when the deposit is used up. A forecast needs spending
// at two times: if this machine stood still since the last payment, there is one more.
func TestRunwayForecast(t *testing.T) {
	s := newShell(t, devnet.Config{Recipients: 1, RoundLength: 1000})
	s.env["XDG_CACHE_HOME"] = t.TempDir()
	s.run(exitDone, "fund --deposit 0.0001eth --reserve 0.1eth --yes")
	paid := 0
	pay := func() {
		s.run(exitDone, "pay "+s.net.Recipients()[0].State().URL+" --value 5000gwei")
		paid++
	}
	for range 10 {
		pay()
	}
	data := s.run(exitDone, "runway")
	for data["forecast"] == nil && paid < 15 {
		pay()
		data = s.run(exitDone, "runway")
	}
	forecast, ok := data["forecast"].(map[string]any)
	require.True(t, ok, data)
	low, median, high := forecast["days_low"].(float64), forecast["days_median"].(float64), forecast["days_high"].(float64)
	require.Positive(t, low)
	require.Less(t, low, median)
	require.Less(t, median, high)
	// 0.0001 ETH is as much again as was spent; half of that time is gone.
	since, err := time.Parse(time.RFC3339, data["since"].(string))
	require.NoError(t, err)
	until, err := time.Parse(time.RFC3339, data["until"].(string))
	require.NoError(t, err)
	require.InEpsilon(t, until.Sub(since).Hours()/24, median, 0.9)
	require.Equal(t, 5.0*float64(paid), data["outstanding"].(map[string]any)["tickets"])
}
