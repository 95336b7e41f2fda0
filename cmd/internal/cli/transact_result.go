package cli

import (
	"fmt"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
)

// WriteTransaction writes what became of a transaction, for people.
func WriteTransaction(t wallet.Transaction) func(*page.Page) {
	return func(w *page.Page) {
		var fields []page.Field
		for _, e := range t.Events {
			if e.Fields["amount"] != "0" {
				fields = append(fields, page.Field{"done", e.String()})
			}
		}
		fields = append(fields, outcomeFields(t.Tickets)...)
		if t.Cancelled {
			fields = append(fields, page.Field{"done", "cancelled: nothing was moved"})
		}
		fields = append(fields, page.Field{"transaction", t.Hash.Hex()})
		for _, e := range t.Earlier {
			fields = append(fields, page.Field{"earlier", fmt.Sprintf("%s: %s, nonce %d, %s", e.State, e.Hash, e.Nonce, e.What)})
		}
		if t.Block != 0 {
			fields = append(fields, page.Field{"block", fmt.Sprint(t.Block)})
		}
		if t.Fee != nil {
			fields = append(fields, page.Field{"gas paid", t.Fee.String()})
		}
		w.Fields(fields)
	}
}

// outcomeFields are the tickets that won, for a person.
func outcomeFields(tickets []wallet.TicketOutcome) []page.Field {
	var fields []page.Field
	for _, t := range tickets {
		switch {
		case t.Outcome == "redeemed":
			fields = append(fields, page.Field{"redeemed", fmt.Sprintf("the ticket with nonce %d, which paid %s", t.Nonce, t.Paid)})
		case t.Outcome != "lost":
			fields = append(fields, page.Field{"not redeemed", fmt.Sprintf("the ticket with nonce %d: %s", t.Nonce, t.Reason)})
		}
	}
	return fields
}
