package look

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/metrics/metricstest"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestMetricsFollowPrometheus holds all metrics to what promtool checks, and to the labels
// that name no node and no key.
func TestMetricsFollowPrometheus(t *testing.T) {
	limit, err := wei.Parse("10wei")
	require.NoError(t, err)
	withdraw := format.NewBigNum(big.NewInt(3))
	status := &statusResult{Network: `dev"net\`, ChainID: "1337", Lock: broker.Locked, WithdrawRound: &withdraw, OpenTransactions: new(int)}
	status.Round.Current, status.Block.L1Block = format.NewBigNum(big.NewInt(1)), 2
	status.Warnings = []warning{{Code: "paused", Problem: true, Message: "http://user:secret@node"}, {Code: "balance_low"}}
	activity := &wallet.Activity{
		Made: policy.Cost(7, big.NewRat(1, 3), big.NewInt(9)), Wins: 2, Paid: big.NewRat(5, 1),
		Budget: &wallet.Budget{Lines: []wallet.BudgetLine{
			{Kind: wallet.SpentEV, SpentExact: format.Fraction{Rat: big.NewRat(7, 3)}, Limit: &limit},
			{Kind: wallet.SpentFaceValue, SpentExact: format.Fraction{Rat: big.NewRat(63, 1)}, Limit: &limit},
		}},
		Forecast: &wallet.Forecast{Confidence: 0.9, DaysLow: 0.5, DaysMedian: 1, DaysHigh: 36500},
	}
	text := string(formatMetrics(status, append(status.metrics(), activityMetrics(activity)...)))
	metricstest.Lint(t, text, "network", "chain_id", "account", "state", "code", "problem", "kind", "estimate")
	require.NotContains(t, text, "secret")
	for _, want := range []string{
		"pmctl_tickets_total{LABELS} 7\n", "pmctl_ticket_ev_wei_total{LABELS} 3\n", "pmctl_wins_total{LABELS} 2\n", "pmctl_paid_wei_total{LABELS} 5\n",
		`pmctl_day_spent_wei{LABELS,kind="ev"} 3` + "\n", `pmctl_budget_left_wei{LABELS,kind="ev"} 7` + "\n",
		`pmctl_budget_left_wei{LABELS,kind="face_value"} 0` + "\n", "pmctl_open_transactions{LABELS} 0\n",
		`pmctl_runway_seconds{LABELS,estimate="low"} 43200` + "\n", `pmctl_runway_seconds{LABELS,estimate="high"} 3153600000` + "\n",
	} {
		require.Contains(t, text, strings.Replace(want, "LABELS", `network="dev\"net\\",chain_id="1337",account="0x0000000000000000000000000000000000000000"`, 1))
	}
	activity.Budget.CountsAsSpent = "the store was restored"
	require.Contains(t, string(formatMetrics(status, activityMetrics(activity))), `kind="ev"} 0`+"\n")
}
