package store

import (
	"database/sql"
	"fmt"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
	"github.com/pmctl/pmctl/wallet/wei"
)

// StatusAllowance is the status of clearing houses for an allowance that is used up.
const StatusAllowance = 483

// Allowance names a bound of a client's Terms.
type Allowance string

// The allowances.
const (
	AllowEVPerDay        Allowance = "ev_per_day"
	AllowFaceValuePerDay Allowance = "face_value_per_day"
	AllowEVTotal         Allowance = "ev_total"
)

// AllowanceError is a payment beyond what a client may spend. Nothing was signed.
type AllowanceError struct {
	// Client is the client's name.
	Client string

	Allowance Allowance

	// Asked is what the tickets come to, Spent what was spent already, in wei.
	Asked, Spent *big.Rat
	Limit        wei.Wei

	// Ends is when the day ends; zero for what holds for ever.
	Ends time.Time
}

func (e *AllowanceError) Error() string {
	what := map[Allowance]string{AllowEVPerDay: "EV a day", AllowFaceValuePerDay: "face value a day", AllowEVTotal: "EV in all"}[e.Allowance]
	text := fmt.Sprintf("%s would exceed client %q's allowance of %s %s, of which %s are spent", wei.Format(e.Asked), e.Client, e.Limit, what, wei.Format(e.Spent))
	if !e.Ends.IsZero() {
		text += "; the day ends at " + e.Ends.Format(time.RFC3339)
	}
	return text
}

// Status implements live.Refusal.
func (*AllowanceError) Status() int { return StatusAllowance }

const (
	selectClientSpending = `SELECT day, tickets, ev, face_value FROM signer_spending WHERE client = $1 AND (day = '' OR day = $2)`
	upsertClientSpending = `INSERT INTO signer_spending (client, day, tickets, ev, face_value) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (client, day) DO UPDATE SET tickets = excluded.tickets, ev = excluded.ev, face_value = excluded.face_value`
)

// ClientSpending is what was signed for a client.
type ClientSpending struct {
	// Day is the day that Today is about, from midnight in UTC.
	Day time.Time

	Today, Total policy.Sum
}

// account is a client with what it has spent, as one transaction finds and leaves it.
type account struct {
	*Client
	spent   ClientSpending
	changed bool
}

// accounts are the accounts that a transaction uses. Each is read and written once, however
// many payments there are.
type accounts struct {
	tx   *db.Tx
	open map[accountName]*account
}

type accountName struct{ client, day string }

func newAccounts(tx *db.Tx) *accounts { return &accounts{tx, make(map[accountName]*account)} }

// get returns nil for the client without an ID.
func (a *accounts) get(id string, at time.Time) (*account, error) {
	if id == "" {
		return nil, nil
	}
	name := accountName{id, startOfDay(at).Format(time.DateOnly)}
	if known := a.open[name]; known != nil {
		return known, nil
	}
	client, err := findClient(a.tx, selectClientID, id)
	if err != nil {
		return nil, err
	}
	spent, err := clientSpending(a.tx, id, at)
	if err != nil {
		return nil, err
	}
	// What one day's payments add to the total counts for another's.
	for other, known := range a.open {
		if other.client == id {
			spent.Total = known.spent.Total
		}
	}
	a.open[name] = &account{Client: client, spent: spent}
	return a.open[name], nil
}

func clientSpending(tx *db.Tx, id string, at time.Time) (ClientSpending, error) {
	spent := ClientSpending{Day: startOfDay(at)}
	type row struct {
		day string
		policy.Sum
	}
	rows, err := db.List(tx, func(rows *sql.Rows) (r row, err error) {
		var tickets int64
		var ev, faceValue string
		if err := rows.Scan(&r.day, &tickets, &ev, &faceValue); err != nil {
			return r, err
		}
		r.Sum, err = parseSum(tickets, ev, faceValue)
		return r, err
	}, selectClientSpending, id, spent.Day.Format(time.DateOnly))
	for _, r := range rows {
		if r.day == "" {
			spent.Total = r.Sum
		} else {
			spent.Today = r.Sum
		}
	}
	// The total is on the same pages as the days are: a day above it is damage.
	if err == nil && num.OrZero(spent.Today.EV).Cmp(num.OrZero(spent.Total.EV)) > 0 {
		err = fmt.Errorf("%w: client %s has spent more on %s than in all", ErrDamaged, id, spent.Day.Format(time.DateOnly))
	}
	return spent, err
}

// allow fails with *AllowanceError.
func (a *account) allow(asked policy.Sum) error {
	for _, bound := range []struct {
		name         Allowance
		limit        *wei.Wei
		asked, spent *big.Rat
		ends         time.Time
	}{
		{AllowEVPerDay, a.Terms.EVPerDay, asked.EV, a.spent.Today.EV, a.spent.Day.AddDate(0, 0, 1)},
		{AllowFaceValuePerDay, a.Terms.FaceValuePerDay, ratOf(asked.FaceValue), ratOf(a.spent.Today.FaceValue), a.spent.Day.AddDate(0, 0, 1)},
		{AllowEVTotal, a.Terms.EVTotal, asked.EV, a.spent.Total.EV, time.Time{}},
	} {
		spent := num.OrZero(bound.spent)
		if bound.limit != nil && new(big.Rat).Add(bound.asked, spent).Cmp(bound.limit.Rat()) > 0 {
			return &AllowanceError{a.Name, bound.name, bound.asked, spent, *bound.limit, bound.ends}
		}
	}
	return nil
}

func ratOf(v *big.Int) *big.Rat { return new(big.Rat).SetInt(num.OrZero(v)) }

// add books what was signed.
func (a *accounts) add(to *account, asked policy.Sum) {
	to.spent.Today = to.spent.Today.Plus(asked)
	to.changed = true
	total := to.spent.Total.Plus(asked)
	for name, known := range a.open {
		if name.client == to.ID {
			known.spent.Total = total
		}
	}
}

// close writes what was booked.
func (a *accounts) close() error {
	for name, known := range a.open {
		if !known.changed {
			continue
		}
		for day, sum := range map[string]policy.Sum{name.day: known.spent.Today, "": known.spent.Total} {
			err := a.tx.Exec(upsertClientSpending, name.client, day, int64(sum.Tickets), sum.EV.RatString(), sum.FaceValue.String())
			if err != nil {
				return err
			}
		}
	}
	return nil
}
