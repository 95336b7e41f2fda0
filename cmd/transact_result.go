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
