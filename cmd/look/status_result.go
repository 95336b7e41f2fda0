package look

import (
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
)

// writeStatus prints the status for a person, with the contracts' addresses if they are asked for,
// and then a paragraph for each problem.
func writeStatus(w *page.Page, s *check.Document, withContracts bool) {
	fields := statusFields(w, s)
	if withContracts {
		fields = append(fields, contractFields(s)...)
	}
	w.Fields(fields)
	for _, warning := range s.Warnings {
		label := w.Dim("notice:") + " "
		if warning.Problem {
			label = w.Yellow("warning:") + " "
		}
		w.Paragraph(label + warning.Message)
	}
}

// readiness is whether tickets can be made and paid, in a few words.
func readiness(w *page.Page, s *check.Document) string {
	problems := 0
	for _, warning := range s.Warnings {
		if warning.Problem {
			problems++
		}
	}
	if problems > 0 {
		return w.Yellow(words.Count(problems, "problem") + ", see below")
	}
	return w.Green("ready to pay")
}

func statusFields(w *page.Page, s *check.Document) []page.Field {
	round, block := s.Round.Current.String(), fmt.Sprint(s.Block.Number)
	if !s.Round.Initialized {
		round += " (not initialized; last initialized " + s.Round.LastInitialized.String() + ")"
	}
	if s.Block.L1Block != s.Block.Number {
		block += fmt.Sprintf(" (L1 block %d)", s.Block.L1Block)
	}
	offer := w.Yellow("none") + ": the reserve is too small for a typical orchestrator"
	if s.Offer.Accepted {
		offer = fmt.Sprintf("face value %s (typical orchestrator)", s.Offer.FaceValue)
	}
	unlocking, withdrawAt := "", ""
	if s.ReadyAt != nil {
		withdrawAt = "about " + s.ReadyAt.Format(time.RFC3339)
	}
	if s.WithdrawRound != nil {
		unlocking = fmt.Sprintf("%s; withdraw from round %s (%s left)", w.Yellow("unlocking"), s.WithdrawRound, words.Plural(s.RoundsLeft.String(), "round"))
	}
	lock := map[broker.Lock]string{
		broker.Empty:     "nothing is deposited",
		broker.Locked:    w.Green("locked"),
		broker.Unlocking: unlocking,
		broker.Unlocked:  w.Yellow("unlocked") + "; pmctl withdraw pays out",
	}[s.Lock]
	reserve := s.Reserve.String()
	if s.ReservePerRecipient != s.Reserve {
		reserve += fmt.Sprintf(" (%s per recipient)", s.ReservePerRecipient)
	}
	return []page.Field{
		{"status", readiness(w, s)},
		{"deposit", s.Deposit.String()},
		{"reserve", reserve},
		{"lock", lock},
		{"withdraw at", withdrawAt},
		{"offer", offer},
		{"balance", s.Balance.String()},
		{"account", common.Address(s.Account).Hex()},
		{"network", fmt.Sprintf("%s (chain ID %s)", s.Network, s.ChainID)},
		{"round", round},
		{"block", block + " at " + s.Block.Time.Format(time.RFC3339)},
		{"paused", page.If(s.Paused, w.Red("the contracts are paused")+": nothing can be sent")},
	}
}

func contractFields(s *check.Document) []page.Field {
	c := s.Contracts
	hex := func(a format.Address) string { return common.Address(a).Hex() }
	return []page.Field{
		{"controller", hex(c.Controller)},
		{"ticket broker", hex(c.TicketBroker)},
		{"rounds manager", hex(c.RoundsManager)},
		{"bonding manager", hex(c.BondingManager)},
		{"service registry", hex(c.ServiceRegistry)},
	}
}
