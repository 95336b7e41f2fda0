package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/policy"
)

// startOfDay is the midnight in UTC before at.
func startOfDay(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

// Spending returns what a sender has spent on the chain on the day of at.
func (c *Chain) Spending(ctx context.Context, sender common.Address, at time.Time) (spent policy.Spending, err error) {
	err = c.store.read(ctx, func(tx *sql.Tx) (err error) {
		spent, err = c.spending(ctx, tx, sender, at)
		return err
	})
	if err != nil {
		return spent, fmt.Errorf("read what was spent: %w", err)
	}
	return spent, nil
}

// spending fails with ErrDamaged when the day's sum is not that of its recipients.
func (c *Chain) spending(ctx context.Context, tx *sql.Tx, sender common.Address, at time.Time) (policy.Spending, error) {
	spent := policy.Spending{Day: startOfDay(at)}
	day := spent.Day.Format(time.DateOnly)
	if err := sumOfDay(ctx, tx, c.id, sender.Hex(), day, &spent); err != nil {
		return spent, err
	}
	var err error
	spent.Spent, err = spentReason(ctx, tx, day)
	return spent, err
}

// sumOfDay reads what a sender has spent in a day into spent.
func sumOfDay(ctx context.Context, tx *sql.Tx, chain, sender, day string, spent *policy.Spending) (err error) {
	var sum policy.Sum
	spent.Recipients = make(map[common.Address]policy.Sum)
	err = eachRow(ctx, tx, func(rows *sql.Rows) error {
		name, one, err := scanSum(rows)
		if err != nil {
			return err
		}
		recipient, err := parseAddress(name)
		spent.Recipients[recipient] = one
		sum = sum.Plus(one)
		return err
	}, selectSpending, chain, sender, day)
	if err != nil {
		return err
	}
	err = eachRow(ctx, tx, func(rows *sql.Rows) (err error) {
		_, spent.All, err = scanSum(rows)
		return err
	}, selectDay, chain, sender, day)
	if err != nil {
		return err
	}
	if !sum.Equal(spent.All) {
		return fmt.Errorf("%w: what was spent on %s does not add up: %d tickets by recipient and %d in all", ErrDamaged, day, sum.Tickets, spent.All.Tickets)
	}
	return nil
}

// books are what was spent, as one transaction finds and leaves it. Each page is read
// and written once, however many tickets are booked on it.
type books struct {
	chain *Chain
	tx    *sql.Tx
	pages map[pageName]*page
}

type pageName struct {
	sender common.Address
	day    string
}

// page is what a sender spends in a day.
type page struct {
	spent policy.Spending
	// changed are the recipients for whom it is not written yet.
	changed map[common.Address]bool
}

func newBooks(chain *Chain, tx *sql.Tx) *books {
	return &books{chain, tx, make(map[pageName]*page)}
}

// open returns the page of the day of at.
func (b *books) open(ctx context.Context, sender common.Address, at time.Time) (*page, error) {
	name := pageName{sender, startOfDay(at).Format(time.DateOnly)}
	if known := b.pages[name]; known != nil {
		return known, nil
	}
	spent, err := b.chain.spending(ctx, b.tx, sender, at)
	if err != nil {
		return nil, err
	}
	b.pages[name] = &page{spent, make(map[common.Address]bool)}
	return b.pages[name], nil
}

// add books tickets for a recipient.
func (p *page) add(recipient common.Address, asked policy.Sum) {
	p.spent.Recipients[recipient] = p.spent.Recipients[recipient].Plus(asked)
	p.spent.All = p.spent.All.Plus(asked)
	p.changed[recipient] = true
}

// close writes what was booked.
func (b *books) close(ctx context.Context) error {
	for name, p := range b.pages {
		for recipient := range p.changed {
			one := p.spent.Recipients[recipient]
			_, err := b.tx.ExecContext(ctx, upsertSpending, b.chain.id, name.sender.Hex(), name.day, recipient.Hex(), int64(one.Tickets), one.EV.RatString(), one.FaceValue.String())
			if err != nil {
				return err
			}
		}
		if all := p.spent.All; len(p.changed) > 0 {
			_, err := b.tx.ExecContext(ctx, upsertDay, b.chain.id, name.sender.Hex(), name.day, int64(all.Tickets), all.EV.RatString(), all.FaceValue.String())
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// bookReserved books what was reserved since the day of at began, in a store that has
// not booked it yet.
func bookReserved(ctx context.Context, tx *sql.Tx, at time.Time) error {
	type row struct {
		chain             string
		sender, recipient common.Address
		asked             policy.Sum
	}
	var found []row
	err := eachRow(ctx, tx, func(rows *sql.Rows) error {
		var chain, sender, recipient, ev, faceValue string
		var count uint32
		if err := rows.Scan(&chain, &sender, &recipient, &count, &ev, &faceValue); err != nil {
			return err
		}
		each, err := parseSum(1, ev, faceValue)
		if err != nil {
			return err
		}
		r := row{chain: chain, asked: policy.Cost(uint64(count), each.EV, each.FaceValue)}
		r.sender, err = parseAddress(sender)
		if err == nil {
			r.recipient, err = parseAddress(recipient)
		}
		found = append(found, r)
		return err
	}, selectReservedSince, startOfDay(at).UnixMilli())
	if err != nil {
		return err
	}
	for _, r := range found {
		books := newBooks(&Chain{id: r.chain}, tx)
		page, err := books.open(ctx, r.sender, at)
		if err == nil {
			page.add(r.recipient, r.asked)
			err = books.close(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scanSum reads a name and what is booked under it.
func scanSum(rows *sql.Rows) (name string, sum policy.Sum, err error) {
	var tickets int64
	var ev, faceValue string
	if err := rows.Scan(&name, &tickets, &ev, &faceValue); err != nil {
		return "", sum, err
	}
	sum, err = parseSum(tickets, ev, faceValue)
	return name, sum, err
}

var errNoSum = errors.New("not a sum of tickets")

// parseSum reads what RatString and decimal wrote.
func parseSum(tickets int64, ev, faceValue string) (policy.Sum, error) {
	num, denom, isFraction := strings.Cut(ev, "/")
	if !isFraction {
		denom = "1"
	}
	a, b, c := parseNatural(num), parseNatural(denom), parseNatural(faceValue)
	if tickets < 0 || a == nil || b == nil || b.Sign() == 0 || c == nil {
		return policy.Sum{}, errNoSum
	}
	return policy.Sum{Tickets: uint64(tickets), EV: new(big.Rat).SetFrac(a, b), FaceValue: c}, nil
}

// parseNatural reads decimal digits; nil for anything else. Sums are wider than the
// fields of a ticket.
func parseNatural(text string) *big.Int {
	const maxDigits = 400
	if text == "" || len(text) > maxDigits || strings.Trim(text, "0123456789") != "" {
		return nil
	}
	v, _ := new(big.Int).SetString(text, 10)
	return v
}

// spentReason is why all of a day's budget counts as spent, "" when it does not.
func spentReason(ctx context.Context, tx *sql.Tx, day string) (string, error) {
	var text string
	err := scanRow(tx.QueryRowContext(ctx, selectMeta, metaSpent), &text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	spentDay, code, _ := strings.Cut(text, " ")
	if err != nil || spentDay != day {
		return "", err
	}
	if strings.Contains(code, " ") {
		return code, nil // versions before 6 wrote a sentence
	}
	return fmt.Sprintf("the store may lack what was spent that day: %v", Cause{Code: CauseCode(code)}), nil
}
