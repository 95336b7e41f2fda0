package store

import (
	"database/sql"
	"fmt"
	"math/big"
	"slices"
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
	what := map[Allowance]string{AllowEVPerDay: "EV a day", AllowFaceValuePerDay: "face value a day", AllowEVTotal: "total EV"}[e.Allowance]
	limit := policy.Exceeded(new(big.Rat).Add(e.Asked, e.Spent), e.Limit.Rat())
	text := fmt.Sprintf("another %s exceeds client %q's allowance of %s (%s), of which %s is spent", wei.Format(e.Asked), e.Client, limit, what, wei.Format(e.Spent))
	if !e.Ends.IsZero() {
		text += "; the day ends at " + e.Ends.Format(time.RFC3339)
	}
	return text
}

// Status implements live.Refusal.
func (*AllowanceError) Status() int { return StatusAllowance }

const (
	selectClientSpending = `SELECT client, day, tickets, ev, face_value FROM signer_spending WHERE (day = '' OR day = $1) AND client`
	intoClientSpending   = `INSERT INTO signer_spending (client, day, tickets, ev, face_value) VALUES `
	onClientSpending     = ` ON CONFLICT (client, day) DO UPDATE SET tickets = excluded.tickets, ev = excluded.ev, face_value = excluded.face_value`
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
	total *policy.Sum
	today *today
}

// today is what a client has spent on a day.
type today struct {
	policy.Sum
	day     time.Time
	changed bool
}

// accounts are those that a transaction uses. Each is read and written once, however many
// payments there are.
type accounts struct {
	tx      *db.Tx
	clients map[string]*Client
	owners  map[Credential]owner
	totals  map[string]*policy.Sum
	// days are the clients' days, by the day.
	days map[time.Time]map[string]*today
}

// owner is whose a credential is, and until when in milliseconds where it was replaced.
type owner struct {
	credential Credential
	client     string
	until      sql.NullInt64
}

func (o owner) is(client string, at time.Time) bool {
	return o.client == client && (!o.until.Valid || at.UnixMilli() < o.until.Int64)
}

func newAccounts() *accounts {
	return &accounts{
		clients: make(map[string]*Client), owners: make(map[Credential]owner), totals: make(map[string]*policy.Sum),
		days: make(map[time.Time]map[string]*today),
	}
}

// read reads the clients with these IDs, what they have spent on days and in all, and the owners
// of credentials, which are values by kind: the index of credentials begins with their kind. What is
// there already is not read again.
func (a *accounts) read(ids []string, credentials map[string][]string, days []time.Time) (statements []db.Statement) {
	if unknown := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return a.clients[id] != nil }); len(unknown) > 0 {
		statements = append(statements, db.AskIn(a.tx, scanClient, func(client *Client) error {
			a.clients[client.ID] = client
			return nil
		}, selectClientsIn, nil, unknown))
	}
	for kind, values := range credentials {
		statements = append(statements, db.AskIn(a.tx, scanOwner, func(o owner) error {
			a.owners[o.credential] = o
			return nil
		}, selectOwnersIn, []any{kind}, values))
	}
	for _, day := range days {
		spent := a.days[day]
		if spent == nil {
			spent = make(map[string]*today)
			a.days[day] = spent
		}
		unknown := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return spent[id] != nil })
		for _, id := range unknown {
			spent[id], a.totals[id] = &today{day: day}, new(policy.Sum)
		}
		if len(unknown) > 0 {
			statements = append(statements, readClientSpending(a.tx, unknown, day, func(id string) (*policy.Sum, *policy.Sum) { return &spent[id].Sum, a.totals[id] }))
		}
	}
	return statements
}

func scanOwner(rows db.Scanner) (o owner, err error) {
	err = rows.Scan(&o.credential.Kind, &o.credential.Value, &o.client, &o.until)
	return o, err
}

// get returns the client that sent a request, nil for one that needs no credential. It fails
// with ErrNoClient, also for a credential that is no longer the client's, and with *ClientError
// for a client that was revoked or has expired.
func (a *accounts) get(r LiveRequest) (*account, error) {
	id := r.Client
	if id == "" {
		return nil, nil
	}
	client := a.clients[id]
	if client == nil || r.Credential != (Credential{}) && !a.owners[r.Credential].is(id, r.At) {
		return nil, ErrNoClient
	}
	if err := client.CheckActive(r.At); err != nil {
		return nil, err
	}
	return &account{client, a.totals[id], a.days[startOfDay(r.At)][id]}, nil
}

// clientSpending reads what clients have spent on a day, and in all.
func clientSpending(tx *db.Tx, ids []string, day time.Time) (map[string]*ClientSpending, error) {
	spent := make(map[string]*ClientSpending)
	for _, id := range ids {
		spent[id] = &ClientSpending{Day: day}
	}
	err := tx.Together(readClientSpending(tx, ids, day, func(id string) (*policy.Sum, *policy.Sum) { return &spent[id].Today, &spent[id].Total }))
	return spent, err
}

// clientSum is what was signed for a client on a day, in all where day is "".
type clientSum struct {
	client, day string
	policy.Sum
}

func scanClientSum(rows db.Scanner) (one clientSum, err error) {
	one.Sum, err = scanSum(rows, &one.client, &one.day)
	return one, err
}

// readClientSpending reads what clients have spent on a day and in all, into where into says. It
// fails with ErrDamaged if a day has more than all.
func readClientSpending(tx *db.Tx, ids []string, day time.Time, into func(id string) (today, total *policy.Sum)) db.Statement {
	return db.AskIn(tx, scanClientSum, func(one clientSum) error {
		today, total := into(one.client)
		if one.day != "" {
			total = today
		}
		*total = one.Sum
		return nil
	}, selectClientSpending, []any{day.Format(time.DateOnly)}, ids).Then(func(int64) error {
		for _, id := range ids {
			if today, total := into(id); num.OrZero(today.EV).Cmp(num.OrZero(total.EV)) > 0 {
				return fmt.Errorf("%w: client %s has spent more on %s than in all", ErrDamaged, id, day.Format(time.DateOnly))
			}
		}
		return nil
	})
}

// allow fails with *AllowanceError. In a store that may have lost what the client spent,
// which complete says, nothing counts as left of any allowance.
func (a *account) allow(asked policy.Sum, complete error) error {
	ends := a.today.day.AddDate(0, 0, 1)
	for _, bound := range []struct {
		name         Allowance
		limit        *wei.Wei
		asked, spent *big.Rat
		ends         time.Time
	}{
		{AllowEVPerDay, a.Terms.EVPerDay, asked.EV, a.today.EV, ends},
		{AllowFaceValuePerDay, a.Terms.FaceValuePerDay, ratOf(asked.FaceValue), ratOf(a.today.FaceValue), ends},
		{AllowEVTotal, a.Terms.EVTotal, asked.EV, a.total.EV, time.Time{}},
	} {
		if bound.limit == nil {
			continue
		}
		if complete != nil {
			return complete
		}
		spent := num.OrZero(bound.spent)
		if bound.asked.Cmp(num.Sum(bound.limit.Rat(), new(big.Rat).Neg(spent))) > 0 {
			return &AllowanceError{a.Name, bound.name, bound.asked, spent, *bound.limit, bound.ends}
		}
	}
	return nil
}

func ratOf(v *big.Int) *big.Rat { return new(big.Rat).SetInt(num.OrZero(v)) }

func (a *accounts) add(to *account, asked policy.Sum) {
	to.today.Sum, to.today.changed = to.today.Plus(asked), true
	*to.total = to.total.Plus(asked)
}

func (a *accounts) close() {
	var rows [][]any
	row := func(id, day string, sum policy.Sum) {
		rows = append(rows, []any{id, day, int64(sum.Tickets), sum.EV.RatString(), sum.FaceValue.String()})
	}
	changed := make(map[string]bool)
	for day, clients := range a.days {
		for id, today := range clients {
			if today.changed {
				today.changed = false
				row(id, day.Format(time.DateOnly), today.Sum)
				changed[id] = true
			}
		}
	}
	for id := range changed {
		row(id, "", *a.totals[id])
	}
	a.tx.Later(a.tx.Into(intoClientSpending, rows, onClientSpending)...)
}
