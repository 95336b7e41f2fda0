package past

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/plot"
	"github.com/pmctl/pmctl/wallet/wei"
)

type historyOptions struct {
	cli.ScanOptions
	recipient string
	client    string
	until     string
	plot      plotOptions
}

// NewHistory is pmctl history.
func NewHistory(r *cli.Run) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show past fundings, redemptions and withdrawals",
		Long: `Read the events of the TicketBroker contract for an account: deposits, unlocks,
withdrawals, and redemptions of winning tickets. Each redemption is matched with
its ticket in the ledger of the store. The last lines compare the number of
winning tickets with the number expected, and say how likely that difference is.

Events that can no longer change are kept in the cache folder of pmctl. An
interrupted scan continues where it stopped; --since makes a first scan shorter.`,
		Example: `  pmctl history
  pmctl history --since 30d --plot funds.svg
  pmctl history --recipient 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed -o json
  pmctl history --client studio
  pmctl history --since 2026-03-01 --until 2026-04-01 -o csv > march.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runHistory(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.Since, "since", "", "start at `TIME`: an age (12h, 30d, 2w), a day or a time (default: everything)")
	cmd.Flags().StringVar(&o.until, "until", "", "stop before `TIME`")
	cmd.Flags().StringVar(&o.recipient, "recipient", "", "show only redemptions by the recipient `ADDRESS`")
	cmd.Flags().StringVar(&o.client, "client", "", "show only redemptions of tickets of a remote signer's client, by `NAME`")
	o.plot.register(cmd, "deposit, reserve and what was paid over time")
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputCSV)
	return cmd
}

func runHistory(r *cli.Run, cmd *cobra.Command, o *historyOptions) error {
	only := wallet.HistoryFilter{Client: o.client}
	if o.recipient != "" {
		address, err := cli.ParseAddress("--recipient", o.recipient)
		if err != nil {
			return err
		}
		only.Recipient = &address
	}
	var err error
	only.Until, err = cli.ParseMoment("--until", o.until, r.Now())
	if err != nil {
		return err
	}
	if since, err := cli.ParseMoment("--since", o.Since, r.Now()); err == nil && !only.Until.IsZero() && !since.Before(only.Until) {
		return cli.Usagef("--until %s is not after --since %s: nothing is between them", o.until, o.Since)
	}
	file, err := o.plot.begin(r, cmd)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, past, err := o.Open(cmd.Context(), r)
	if err != nil {
		return err
	}
	defer reader.Close()
	found, err := reader.History(cmd.Context(), past, only)
	if err != nil {
		return err
	}
	if err := finish(plot.History(found), r, file); err != nil {
		return err
	}
	if r.Output == cli.OutputCSV {
		return history.WriteCSV(r.Out, found.Events)
	}
	return cli.EmitList(r, "pmctl.history", found, func(w *page.Page) { writeHistory(w, found) })
}

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
