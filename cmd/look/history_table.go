package look

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/wei"
)

// decimalText is a decimal number of wei with its unit.
func decimalText(decimal string) string {
	v, _ := new(big.Rat).SetString(decimal)
	return wei.Format(v)
}

func (h *historyResult) write(w io.Writer) error {
	rows := make([][]string, len(h.Events))
	for i, e := range h.Events {
		name, detail := e.text()
		rows[i] = []string{e.Time.Format(time.RFC3339), name, detail}
	}
	if len(rows) > 0 {
		if err := cli.WriteTable(w, []string{"TIME", "EVENT", "WHAT"}, rows); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	if err := cli.WriteTable(w, []string{"TOTAL", "DEPOSIT", "RESERVE"}, h.totals()); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return cli.WriteFields(w, h.summary())
}

// text is an event for people.
func (e eventResult) text() (name, detail string) {
	switch history.Kind(e.Kind) {
	case history.DepositFunded:
		return "funded", fmt.Sprintf("+%s of deposit", e.Deposit)
	case history.ReserveFunded:
		return "funded", fmt.Sprintf("+%s of reserve", e.Reserve)
	case history.Unlocked:
		return "unlock", fmt.Sprintf("in round %s, funds are free from round %s", e.StartRound, e.EndRound)
	case history.UnlockCancelled:
		return "unlock", "cancelled"
	case history.Withdrawn:
		return "withdrawn", fmt.Sprintf("-%s of deposit, -%s of reserve", e.Deposit, e.Reserve)
	case history.Redeemed:
		return "redeemed", e.Redemption.text(e.Reserve)
	}
	return e.Kind, ""
}

func (t *redemptionResult) text(fromReserve *wei.Wei) string {
	text := fmt.Sprintf("-%s to %s", decimalText(t.Paid), common.Address(t.Recipient))
	if !fromReserve.IsZero() {
		text += fmt.Sprintf(", %s of it from the reserve", fromReserve)
	}
	if t.Paid != t.FaceValue {
		text += fmt.Sprintf(", of %s promised", decimalText(t.FaceValue))
	}
	switch history.Match(t.Match) {
	case history.Matched:
		return text + fmt.Sprintf(", ticket %s, made at %s", t.SenderNonce, t.Made.At.Format(time.RFC3339))
	case history.Contradicts:
		return text + fmt.Sprintf(", ticket %s, which the ledger has in another form", t.SenderNonce)
	}
	return text + fmt.Sprintf(", ticket %s, which is not in this ledger", t.SenderNonce)
}

// totals are what the events add up to, of the deposit and of the reserve.
func (h *historyResult) totals() [][]string {
	t := h.Totals
	rows := [][]string{
		{"funded", t.DepositFunded, t.ReserveFunded},
		{"paid", t.DepositPaid, t.ReservePaid},
		{"withdrawn", t.DepositWithdrawn, t.ReserveWithdrawn},
	}
	if h.Recipient != nil {
		rows = rows[1:2]
	}
	for _, row := range rows {
		row[1], row[2] = decimalText(row[1]), decimalText(row[2])
	}
	return rows
}

func (h *historyResult) summary() []cli.Field {
	t, l := h.Totals, h.Luck
	fields := []cli.Field{{"sender", common.Address(h.Sender).Hex()}}
	if h.Recipient != nil {
		fields = append(fields, cli.Field{"recipient", common.Address(*h.Recipient).Hex()})
	}
	redemptions := t.Redemptions
	if t.Unmatched != "0" {
		redemptions += fmt.Sprintf(", %s of them of tickets that this ledger does not have", t.Unmatched)
	}
	fields = append(fields, cli.Field{"redeemed", redemptions})
	if l.Outstanding != "0" {
		fields = append(fields, cli.Field{"outstanding", cli.Plural(l.Outstanding, "ticket") + " can still win"})
	}
	if l.Tickets == "0" {
		return append(fields, cli.Field{"luck", "no ticket of this ledger has been drawn"})
	}
	luck, chance := l.text()
	return append(fields,
		cli.Field{"drawn", fmt.Sprintf("%s worth %s", cli.Plural(l.Tickets, "ticket"), about(l.ev.FloatString(0)))},
		cli.Field{"won", fmt.Sprintf("%s redeemed, %.4g expected; %s paid", l.Wins, l.ExpectedWins, decimalText(l.Paid))},
		cli.Field{"luck", luck}, cli.Field{"", chance})
}

// text says which way the luck went, for a sender whose tickets had better not win, and
// how likely it is to go that way as far.
func (l luckResult) text() (luck, chance string) {
	off := new(big.Rat).Sub(l.paid, l.ev)
	amount := about(new(big.Rat).Abs(off).FloatString(0))
	luck = fmt.Sprintf("paid %s less than the tickets are worth", amount)
	if off.Sign() > 0 {
		luck = fmt.Sprintf("paid %s more than the tickets are worth", amount)
	}
	if float64(l.wins) > l.ExpectedWins {
		return "bad: " + luck, fmt.Sprintf("chance of %s or more: %s", cli.Plural(l.Wins, "win"), percent(l.ProbabilityAtLeast))
	}
	return "good: " + luck, fmt.Sprintf("chance of %s or fewer: %s", cli.Plural(l.Wins, "win"), percent(l.ProbabilityAtMost))
}

// percent writes a probability for people.
func percent(p float64) string {
	switch {
	case p < forecast.Negligible:
		return "practically 0"
	case p < 0.0001:
		return fmt.Sprintf("%.1e", p)
	}
	return fmt.Sprintf("%.3g %%", p*100)
}

// historyColumns are the header of the CSV. Columns that an event does not have are empty.
var historyColumns = []string{
	"time", "kind", "block", "log_index", "transaction", "deposit", "reserve", "start_round", "end_round",
	"recipient", "face_value", "paid", "win_prob", "sender_nonce", "recipient_rand_hash", "creation_round",
	"match", "made_at", "ticket_ev",
}

func writeHistoryCSV(w io.Writer, events []eventResult) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true // as RFC 4180 has it
	if err := out.Write(historyColumns); err != nil {
		return err
	}
	for _, e := range events {
		if err := out.Write(e.record()); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (e eventResult) record() []string {
	decimal := func(w *wei.Wei) string {
		if w == nil {
			return ""
		}
		return w.Decimal()
	}
	record := []string{
		e.Time.Format(time.RFC3339), e.Kind, e.Block, e.LogIndex, e.Transaction.Hex(),
		decimal(e.Deposit), decimal(e.Reserve), e.StartRound, e.EndRound,
	}
	t := e.Redemption
	if t == nil {
		return append(record, make([]string, len(historyColumns)-len(record))...)
	}
	record = append(record, common.Address(t.Recipient).Hex(), t.FaceValue, t.Paid, t.WinProb, t.SenderNonce,
		t.RecipientRandHash.Hex(), t.CreationRound, t.Match)
	if t.Made == nil {
		return append(record, "", "")
	}
	return append(record, t.Made.At.Format(time.RFC3339), t.Made.TicketEV)
}
