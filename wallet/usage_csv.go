package wallet

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"strconv"

	"github.com/pmctl/pmctl/internal/num"
)

var usageColumns = []string{
	"client", "payments", "tickets", "total_ev_wei", "total_ev_exact", "total_face_value",
	"drawn_tickets", "drawn_ev_wei", "drawn_ev_exact", "expected_wins", "wins", "paid", "probability_at_most", "probability_at_least", "outstanding",
}

// WriteUsageCSV writes usage under a header, a line for each client, as RFC 4180 has it.
func WriteUsageCSV(w io.Writer, clients []ClientUsage) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(usageColumns); err != nil {
		return err
	}
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	for _, c := range clients {
		err := out.Write([]string{
			c.Client, fmt.Sprint(c.Payments), fmt.Sprint(c.Tickets), c.TotalEVWei.String(), c.TotalEVExact.String(), wholeOf(c.FaceValue),
			fmt.Sprint(c.Luck.Tickets), c.Luck.TotalEVWei.String(), c.Luck.TotalEVExact.String(), number(c.Luck.ExpectedWins), fmt.Sprint(c.Luck.Wins),
			wholeOf(c.Luck.Paid), number(c.Luck.AtMost), number(c.Luck.AtLeast), fmt.Sprint(c.Luck.Outstanding),
		})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func wholeOf(r *big.Rat) string { return num.OrZero(r).Num().String() }
