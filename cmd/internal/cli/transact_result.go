package cli

import (
	"fmt"

	"github.com/pmctl/pmctl/wallet"
)

// WriteTransaction writes what became of a transaction, for people.
func WriteTransaction(t wallet.Transaction) func(*Page) error {
	return func(w *Page) error {
		var fields []Field
		for _, e := range t.Events {
			if e.Fields["amount"] != "0" {
				fields = append(fields, Field{"done", e.String()})
			}
		}
		fields = append(fields, outcomeFields(t.Tickets)...)
		if t.Cancelled {
			fields = append(fields, Field{"done", "cancelled: nothing was moved"})
		}
		fields = append(fields, Field{"transaction", t.Hash.Hex()})
		for _, e := range t.Earlier {
			fields = append(fields, Field{"earlier", fmt.Sprintf("%s: %s, nonce %d, %s", e.State, e.Hash, e.Nonce, e.What)})
		}
		if t.Block != 0 {
			fields = append(fields, Field{"block", fmt.Sprint(t.Block)})
		}
		if t.Fee != nil {
			fields = append(fields, Field{"gas paid", t.Fee.String()})
		}
		return w.Fields(fields)
	}
}

// outcomeFields are the tickets that won, for a person.
func outcomeFields(tickets []wallet.TicketOutcome) []Field {
	var fields []Field
	for _, t := range tickets {
		switch {
		case t.Outcome == "redeemed":
			fields = append(fields, Field{"redeemed", fmt.Sprintf("the ticket with nonce %d, which paid %s", t.Nonce, t.Paid)})
		case t.Outcome != "lost":
			fields = append(fields, Field{"not redeemed", fmt.Sprintf("the ticket with nonce %d: %s", t.Nonce, t.Reason)})
		}
	}
	return fields
}
