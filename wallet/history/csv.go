package history

import (
	"encoding/csv"
	"fmt"
	"io"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// columns are the header of the CSV. Columns that an event does not have are empty.
var columns = []string{
	"time", "kind", "block", "log_index", "transaction_hash", "deposit", "reserve", "start_round", "withdraw_round",
	"recipient", "face_value", "paid", "win_prob", "nonce", "recipient_rand_hash", "creation_round",
	"match", "created_at", "ticket_ev_wei", "ticket_ev_exact", "client",
}

// WriteCSV writes events under a header, a line each, as RFC 4180 has it.
func WriteCSV(w io.Writer, events []Event) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, e := range events {
		if err := out.Write(eventRecord(e)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func eventRecord(e Event) []string {
	record := make([]string, 9, len(columns))
	copy(record, []string{e.Time.Format(time.RFC3339), string(e.Kind), fmt.Sprint(e.Block), fmt.Sprint(e.Index), e.Tx.Hex()})
	if e.Deposit != nil {
		record[5] = e.Deposit.Decimal()
	}
	if e.Reserve != nil {
		record[6] = e.Reserve.Decimal()
	}
	if e.StartRound != nil {
		record[7], record[8] = e.StartRound.String(), e.WithdrawRound.String()
	}
	if t := e.Redemption; t != nil {
		record = append(record, common.Address(t.Recipient).Hex(), t.FaceValue.Decimal(), t.Paid.Decimal(), t.WinProb.Dec(), t.SenderNonce.String(),
			t.RecipientRandHash.Hex(), t.CreationRound.String(), string(t.Match))
		if t.Made != nil {
			record = append(record, t.Made.At.Format(time.RFC3339Nano), t.Made.TicketEVWei.String(), t.Made.TicketEVExact.String(), t.Made.Client)
		}
	}
	return append(record, make([]string, cap(record)-len(record))...)
}
