package cmd

import (
	"fmt"
	"io"

	"github.com/pmctl/pmctl/wallet"
)

// writeTransaction writes what became of a transaction, for people.
func writeTransaction(t wallet.Transaction) func(io.Writer) error {
	return func(w io.Writer) error {
		var fields []field
		for _, e := range t.Events {
			fields = append(fields, field{"done", e.String()})
		}
		fields = append(fields, outcomeFields(t.Tickets)...)
		if t.Cancelled {
			fields = append(fields, field{"done", "cancelled: nothing was moved"})
		}
		fields = append(fields, field{"transaction", t.Hash.Hex()})
		for _, e := range t.Earlier {
			fields = append(fields, field{"earlier", fmt.Sprintf("%s: %s, nonce %s, %s", e.State, e.Hash, e.Nonce, e.What)})
		}
		if t.Block != "" {
			fields = append(fields, field{"block", t.Block})
		}
		if t.Fee != nil {
			fields = append(fields, field{"gas paid", t.Fee.String()})
		}
		return writeFields(w, fields)
	}
}

// outcomeFields are the tickets that won, for a person.
func outcomeFields(tickets []wallet.TicketOutcome) []field {
	var fields []field
	for _, t := range tickets {
		switch {
		case t.Outcome == "redeemed":
			fields = append(fields, field{"redeemed", fmt.Sprintf("the ticket with nonce %d, which paid %s", t.Nonce, t.Paid)})
		case t.Outcome != "lost":
			fields = append(fields, field{"not redeemed", fmt.Sprintf("the ticket with nonce %d: %s", t.Nonce, t.Reason)})
		}
	}
	return fields
}
