package store

import (
	"cmp"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	intoSpending = `INSERT INTO spending (chain_id, sender, day, recipient, tickets, ev, face_value) VALUES `
	onSpending   = ` ON CONFLICT (chain_id, sender, day, recipient) DO UPDATE
		SET tickets = excluded.tickets, ev = excluded.ev, face_value = excluded.face_value`
	upsertDay = `INSERT INTO spending_days (chain_id, sender, day, tickets, ev, face_value) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (chain_id, sender, day) DO UPDATE
		SET tickets = excluded.tickets, ev = excluded.ev, face_value = excluded.face_value`

	selectReservedSince = `SELECT chain_id, sender, recipient, nonces, ticket_ev, face_value FROM reservations WHERE reserved_at >= $1`
)

// books are the spending that one transaction reads and writes. Each page is read and written
// once, however many tickets are booked on it.
type books struct {
	chain string
	tx    *db.Tx
	pages map[pageName]*page
}

type pageName struct {
	sender common.Address
	day    string
}

// page is what a sender spends in a day.
type page struct {
	spent policy.Spending
	// changed are the recipients whose sums are not written yet.
	changed map[common.Address]bool
}

func newBooks(chain string, tx *db.Tx) *books {
	return &books{chain, tx, make(map[pageName]*page)}
}

// open returns the page of the day of at.
func (b *books) open(sender common.Address, at time.Time) (*page, error) {
	err := b.tx.Together(b.read(sender, at)...)
	return b.page(sender, at), err
}

// read opens the page of the day of at, unless it is open.
func (b *books) read(sender common.Address, at time.Time) []db.Statement {
	if b.page(sender, at) != nil {
		return nil
	}
	p := &page{policy.Spending{Day: startOfDay(at)}, make(map[common.Address]bool)}
	b.pages[pageOf(sender, at)] = p
	return readSpending(b.chain, sender, &p.spent)
}

// page is the open page of the day of at, nil if it is not open.
func (b *books) page(sender common.Address, at time.Time) *page { return b.pages[pageOf(sender, at)] }

func pageOf(sender common.Address, at time.Time) pageName {
	return pageName{sender, startOfDay(at).Format(time.DateOnly)}
}

func (p *page) add(recipient common.Address, asked policy.Sum) {
	p.spent.Recipients[recipient] = p.spent.Recipients[recipient].Plus(asked)
	p.spent.All = p.spent.All.Plus(asked)
	p.changed[recipient] = true
}

func (b *books) close() {
	for name, p := range b.pages {
		var rows [][]any
		for recipient := range p.changed {
			one := p.spent.Recipients[recipient]
			rows = append(rows, []any{b.chain, name.sender.Hex(), name.day, recipient.Hex(), int64(one.Tickets), one.EV.RatString(), one.FaceValue.String()})
		}
		statements := b.tx.Into(intoSpending, rows, onSpending)
		if all := p.spent.All; len(rows) > 0 {
			statements = append(statements, db.Do(upsertDay, b.chain, name.sender.Hex(), name.day, int64(all.Tickets), all.EV.RatString(), all.FaceValue.String()))
		}
		b.tx.Later(statements...)
		clear(p.changed)
	}
}

// bookReserved books what was reserved since the day of at began. Stores of versions before the
// spending table need it.
func bookReserved(tx *db.Tx, at time.Time) error {
	type row struct {
		chain             string
		sender, recipient common.Address
		asked             policy.Sum
	}
	found, err := db.List(tx, func(rows db.Scanner) (r row, err error) {
		var sender, recipient string
		each, err := scanSum(rows, &r.chain, &sender, &recipient)
		if err != nil {
			return r, err
		}
		r.asked = policy.Cost(each.Tickets, each.EV, each.FaceValue)
		err = cmp.Or(column("sender", &r.sender, parseAddress, sender), column("recipient", &r.recipient, parseAddress, recipient))
		return r, err
	}, selectReservedSince, startOfDay(at).UnixMilli())
	if err != nil {
		return err
	}
	for _, r := range found {
		books := newBooks(r.chain, tx)
		page, err := books.open(r.sender, at)
		if err != nil {
			return err
		}
		page.add(r.recipient, r.asked)
		books.close()
	}
	return nil
}
