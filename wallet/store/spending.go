package store

import (
	"database/sql"
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

// spending fails with ErrDamaged if the day's sum is not that of its recipients.
func spending(tx *db.Tx, chain string, sender common.Address, at time.Time) (policy.Spending, error) {
	spent := policy.Spending{Day: startOfDay(at)}
	day := spent.Day.Format(time.DateOnly)
	err := sumOfDay(tx, chain, sender.Hex(), day, &spent)
	if err == nil {
		spent.ExhaustedReason, err = spentReason(tx, day)
	}
	return spent, err
}

// sumOfDay reads what a sender has spent in a day into spent.
func sumOfDay(tx *db.Tx, chain, sender, day string, spent *policy.Spending) error {
	var sum policy.Sum
	spent.Recipients = make(map[common.Address]policy.Sum)
	err := db.Each(tx, scanSum, func(one booked) error {
		spent.Recipients[one.recipient] = one.Sum
		sum = sum.Plus(one.Sum)
		return nil
	}, selectSpending, chain, sender, day)
	if err == nil {
		err = db.Each(tx, scanSum, func(all booked) error {
			spent.All = all.Sum
			return nil
		}, selectDay, chain, sender, day)
	}
	if err == nil && !sum.Equal(spent.All) {
		err = fmt.Errorf("%w: the spending on %s does not add up: %d tickets by recipient, %d in total", ErrDamaged, day, sum.Tickets, spent.All.Tickets)
	}
	return err
}

// booked is the spending on one recipient, or the total.
type booked struct {
	recipient common.Address
	policy.Sum
}

func scanSum(rows *sql.Rows) (b booked, err error) {
	var tickets int64
	var recipient, ev, faceValue string
	if err := rows.Scan(&recipient, &tickets, &ev, &faceValue); err != nil {
		return b, err
	}
	if b.Sum, err = parseSum(tickets, ev, faceValue); err == nil {
		b.recipient, err = parseAddress(recipient)
	}
	return b, err
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

// spentReason says why the whole budget of a day counts as spent, "" if it does not.
func spentReason(tx *db.Tx, day string) (string, error) {
	var text string
	_, err := tx.Row(selectMeta, metaSpent).Find(&text)
	spentDay, code, _ := strings.Cut(text, " ")
	if err != nil || spentDay != day {
		return "", err
	}
	if strings.Contains(code, " ") {
		return code, nil // versions before 6 wrote a sentence
	}
	return fmt.Sprintf("the store may lack some of the spending of that day: %v", Cause{Code: CauseCode(code)}), nil
}
