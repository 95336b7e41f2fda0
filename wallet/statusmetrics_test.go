package wallet

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/metrics/metricstest"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestMetricsFollowPrometheus holds all metrics to what promtool checks, and to the labels
// that name no node and no key.
func TestMetricsFollowPrometheus(t *testing.T) {
	limit, err := wei.Parse("10wei")
	require.NoError(t, err)
	status := &check.Status{
		Status: &chain.Status{
			Round: chain.Round{Current: big.NewInt(1), Length: big.NewInt(5), StartBlock: big.NewInt(1)}, Head: chain.Head{L1Block: 2},
			Sender: chain.Sender{Funds: broker.Funds{Deposit: limit, WithdrawRound: big.NewInt(3)}},
		},
		Network: chain.Network{Name: `dev"net\`, ChainID: 1337}, Open: new(int),
		Findings: []check.Finding{{ID: "paused", State: check.Failed, Found: "http://user:secret@node"}, {ID: "balance_low", State: check.Warning}},
	}
	activity := &Activity{
		Made: policy.Cost(7, big.NewRat(1, 3), big.NewInt(9)), Wins: 2, Paid: big.NewRat(5, 1),
		Budget: &Budget{Lines: []BudgetLine{
			{Kind: SpentEV, SpentExact: format.Fraction{Rat: big.NewRat(7, 3)}, Limit: &limit},
			{Kind: SpentFaceValue, SpentExact: format.Fraction{Rat: big.NewRat(63, 1)}, Limit: &limit},
		}},
		Forecast: &Forecast{Confidence: 0.9, DaysLow: 0.5, DaysMedian: 1, DaysHigh: 36500},
	}
	text := string(StatusMetrics(status, activity))
	metricstest.Lint(t, text, "network", "chain_id", "account", "state", "code", "problem", "kind", "estimate")
	require.NotContains(t, text, "secret")
	for _, want := range []string{
		"pmctl_tickets_total{LABELS} 7\n", "pmctl_ticket_ev_wei_total{LABELS} 3\n", "pmctl_wins_total{LABELS} 2\n", "pmctl_paid_wei_total{LABELS} 5\n",
		`pmctl_day_spent_wei{LABELS,kind="ev"} 3` + "\n", `pmctl_budget_left_wei{LABELS,kind="ev"} 7` + "\n",
		`pmctl_budget_left_wei{LABELS,kind="face_value"} 0` + "\n", "pmctl_open_transactions{LABELS} 0\n",
		"pmctl_withdraw_round{LABELS} 3\n", `pmctl_lock{LABELS,state="unlocking"} 1` + "\n",
		`pmctl_runway_seconds{LABELS,estimate="low"} 43200` + "\n", `pmctl_runway_seconds{LABELS,estimate="high"} 3153600000` + "\n",
	} {
		require.Contains(t, text, strings.Replace(want, "LABELS", `network="dev\"net\\",chain_id="1337",account="0x0000000000000000000000000000000000000000"`, 1))
	}
	activity.Budget.CountsAsSpent = "the store was restored"
	require.Contains(t, string(StatusMetrics(status, activity)), `kind="ev"} 0`+"\n")
}
