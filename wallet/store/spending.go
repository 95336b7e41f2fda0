package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	selectSpending = `SELECT recipient, tickets, ev, face_value FROM spending WHERE chain_id = $1 AND sender = $2 AND day = $3`
	selectDay      = `SELECT '0x0000000000000000000000000000000000000000', tickets, ev, face_value FROM spending_days WHERE chain_id = $1 AND sender = $2 AND day = $3`
	selectAllDays  = `SELECT '0x0000000000000000000000000000000000000000', tickets, ev, face_value FROM spending_days WHERE chain_id = $1 AND sender = $2`
)

// spending fails as readSpending does.
func spending(tx *db.Tx, chain string, sender common.Address, at time.Time) (policy.Spending, error) {
	spent := policy.Spending{Day: startOfDay(at)}
	err := tx.Together(readSpending(chain, sender, &spent)...)
	return spent, err
}

// readSpending reads what a sender has spent on the day of spent. It fails with ErrDamaged if the
// day's sum is not that of its recipients.
func readSpending(chain string, sender common.Address, spent *policy.Spending) []db.Statement {
	day := spent.Day.Format(time.DateOnly)
	return append(readSums(chain, sender.Hex(), day, spent), readSpentReason(day, &spent.ExhaustedReason))
}

// readSums reads the sums of a sender's day into spent.
func readSums(chain, sender, day string, spent *policy.Spending) []db.Statement {
	var sum policy.Sum
	spent.Recipients = make(map[common.Address]policy.Sum)
	return []db.Statement{
		db.Ask(scanBooked, func(one booked) error {
			spent.Recipients[one.recipient] = one.Sum
			sum = sum.Plus(one.Sum)
			return nil
		}, selectSpending, chain, sender, day),
		db.Ask(scanBooked, func(all booked) error {
			spent.All = all.Sum
			return nil
		}, selectDay, chain, sender, day).Then(func(int64) error {
			if !sum.Equal(spent.All) {
				return fmt.Errorf("%w: the spending on %s does not add up: %d tickets by recipient, %d in total", ErrDamaged, day, sum.Tickets, spent.All.Tickets)
			}
			return nil
		}),
	}
}

// booked is the spending on one recipient, or the total.
type booked struct {
	recipient common.Address
	policy.Sum
}

func scanBooked(rows db.Scanner) (b booked, err error) {
	var recipient string
	if b.Sum, err = scanSum(rows, &recipient); err == nil {
		b.recipient, err = parseAddress(recipient)
	}
	return b, err
}

// scanSum reads a sum that stands behind other columns.
func scanSum(rows db.Scanner, columns ...any) (policy.Sum, error) {
	var tickets int64
	var ev, faceValue string
	if err := rows.Scan(append(columns, &tickets, &ev, &faceValue)...); err != nil {
		return policy.Sum{}, err
	}
	return parseSum(tickets, ev, faceValue)
}

var errNoSum = errors.New("not a sum of tickets")

// parseSum reads what RatString and decimal wrote.
func parseSum(tickets int64, ev, faceValue string) (policy.Sum, error) {
	worth, err := parseFraction(ev, parseNatural)
	paid, paidErr := parseNatural(faceValue)
	if tickets < 0 || err != nil || paidErr != nil {
		return policy.Sum{}, errNoSum
	}
	return policy.Sum{Tickets: uint64(tickets), EV: worth, FaceValue: paid}, nil
}

// readSpentReason reads why the whole budget of a day counts as spent; into stays "" if it does not.
func readSpentReason(day string, into *string) db.Statement {
	return db.Ask(db.One[string], func(text string) error {
		spentDay, code, _ := strings.Cut(text, " ")
		switch {
		case spentDay != day:
		case strings.Contains(code, " "):
			*into = code // versions before 6 wrote a sentence
		default:
			*into = fmt.Sprintf("the store may lack some of the spending of that day: %v", Cause{Code: CauseCode(code)})
		}
		return nil
	}, selectMeta, metaSpent)
}
