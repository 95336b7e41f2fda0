package past

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/plot"
	"github.com/pmctl/pmctl/wallet/wei"
)

func writeHistory(w *page.Page, h *wallet.History) {
	var rows [][]string
	for _, e := range h.Events {
		if name, detail := eventText(e); detail != "" {
			rows = append(rows, []string{e.Time.Format(time.RFC3339), name, detail})
		}
	}
	if len(rows) > 0 {
		w.Table([]page.Column{page.Text("time"), page.Text("event"), page.Prose("what")}, rows)
		w.Print("\n")
	}
	if totals := totals(h); len(totals) > 0 {
		w.Table([]page.Column{page.Text("total"), page.Number("deposit"), page.Number("reserve")}, totals)
		w.Print("\n")
	}
	w.Fields(summary(h))
}

// eventText describes an event. A funding has one for each of deposit and reserve, also for the one
// that it added nothing to, which has no detail.
func eventText(e history.Event) (name, detail string) {
	switch e.Kind {
	case history.DepositFunded, history.ReserveFunded:
		return "funded", fundsText("+", e)
	case history.Unlocked:
		return "unlock", fmt.Sprintf("in round %s, funds are free from round %s", e.StartRound, e.WithdrawRound)
	case history.UnlockCancelled:
		return "unlock", "cancelled"
	case history.Withdrawn:
		return "withdrawn", fundsText("-", e)
	case history.Redeemed:
		return "redeemed", redemptionText(e.Redemption, e.Reserve)
	}
	return string(e.Kind), ""
}

// fundsText is what was added to or taken from the funds, without what was 0.
func fundsText(sign string, e history.Event) string {
	var parts []string
	if e.Deposit != nil && !e.Deposit.IsZero() {
		parts = append(parts, fmt.Sprintf("%s%s of deposit", sign, e.Deposit))
	}
	if e.Reserve != nil && !e.Reserve.IsZero() {
		parts = append(parts, fmt.Sprintf("%s%s of reserve", sign, e.Reserve))
	}
	return strings.Join(parts, ", ")
}

func redemptionText(t *history.Redemption, fromReserve *wei.Wei) string {
	text := fmt.Sprintf("-%s to %s", t.Paid, common.Address(t.Recipient))
	if !fromReserve.IsZero() {
		text += fmt.Sprintf(", %s of it from the reserve", fromReserve)
	}
	if t.Paid != t.FaceValue {
		text += fmt.Sprintf(", of %s promised", t.FaceValue)
	}
	switch t.Match {
	case history.Matched:
		return text + fmt.Sprintf(", ticket %s, made at %s", t.SenderNonce, t.Made.At.Format(time.RFC3339))
	case history.Contradicts:
		return text + fmt.Sprintf(", ticket %s, which the ledger has in another form", t.SenderNonce)
	}
	return text + fmt.Sprintf(", ticket %s, which is not in this ledger", t.SenderNonce)
}

// totals are what the events add up to, of the deposit and of the reserve.
func totals(h *wallet.History) [][]string {
	t := h.Totals
	rows := [][]string{
		{"funded", wei.Format(t.DepositFunded), wei.Format(t.ReserveFunded)},
		{"paid", wei.Format(t.DepositPaid), wei.Format(t.ReservePaid)},
		{"withdrawn", wei.Format(t.DepositWithdrawn), wei.Format(t.ReserveWithdrawn)},
	}
	if h.Recipient != nil || h.Client != "" {
		return rows[1:2]
	}
	return slices.DeleteFunc(rows, func(row []string) bool { return row[1] == row[2] && row[1] == wei.Format(new(big.Rat)) })
}

func summary(h *wallet.History) []page.Field {
	t, l := h.Totals, h.Luck
	fields := []page.Field{{"sender", common.Address(h.Sender).Hex()}}
	if h.Recipient != nil {
		fields = append(fields, page.Field{"recipient", common.Address(*h.Recipient).Hex()})
	}
	redeemed := fmt.Sprint(t.Redemptions)
	if t.Unmatched > 0 {
		redeemed += fmt.Sprintf(", %d of them of tickets that this ledger does not have", t.Unmatched)
	}
	fields = append(fields, page.Field{"client", h.Client}, page.Field{"redeemed", redeemed},
		page.Field{"outstanding", page.If(l.Outstanding > 0, words.Count(l.Outstanding, "ticket")+" can still win")})
	if l.Tickets == 0 {
		return append(fields, page.Field{"luck", "no ticket of this ledger has been drawn"})
	}
	luck, chance := luckText(l)
	return append(fields,
		page.Field{"drawn", fmt.Sprintf("%s worth %s", words.Count(l.Tickets, "ticket"), plot.About(l.TotalEVExact.Rat))},
		page.Field{"won", fmt.Sprintf("%d redeemed, %s expected; %s paid", l.Wins, plot.Number(l.ExpectedWins), wei.Format(l.Paid))},
		page.Field{"luck", luck}, page.Field{"", chance})
}

// luckText says which way the luck went, for a sender whose tickets had better not win, and
// how likely it is to go that way as far. Where tickets differ, many wins can cost little.
func luckText(l history.Luck) (luck, chance string) {
	bad := l.Bad()
	if luck, chance = "good", fmt.Sprintf("chance of %s or fewer: %s", words.Count(l.Wins, "win"), plot.Percent(l.AtMost)); bad {
		luck, chance = "bad", fmt.Sprintf("chance of %s or more: %s", words.Count(l.Wins, "win"), plot.Percent(l.AtLeast))
	}
	off := new(big.Rat).Sub(l.Paid, l.TotalEVExact.Rat)
	way, more := "less", off.Sign() > 0
	if more {
		way = "more"
	}
	switch off.Abs(off); {
	case off.Cmp(big.NewRat(1, 1)) < 0:
		return luck + ": paid what the tickets are worth", chance
	case more != bad:
		luck += ", but"
	default:
		luck += ":"
	}
	return fmt.Sprintf("%s paid %s %s than the tickets are worth", luck, plot.About(off), way), chance
}
